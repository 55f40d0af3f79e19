"""The pages in every state that people see them in."""

LEASE = {"rent": "750", "zipcode": "9000", "energy_label": "E", "signed_on": "2012-08-15", "starts_on": "2012-09-01"}
TODAY = "2026-09-10"

_LEASE = "&".join(f"{name}={value}" for name, value in LEASE.items()) + f"&on={TODAY}"

STATES = {
    "the index": "/",
    "another base year": "/?base_year=2004",
    "a rent's form": "/rent",
    "a rent under a factor": f"/rent?{_LEASE}",
    "a rent with a new start": f"/rent?{_LEASE.replace('9000', '5000')}",
    "a rent without a label": f"/rent?{_LEASE.replace('energy_label=E&', '')}",
    "a rent refused": "/rent?rent=x&zipcode=1000&region=flanders&signed_on=2012-08-15&starts_on=",
    "a letter": f"/rent/letter?{_LEASE}",
    "the tenant's letter": f"/rent/letter?{_LEASE}&by=tenant",
    "an amount": "/amount?amount=1000&from=2012-05&to=2026-07",
    "an amount refused": "/amount?amount=1000&from=1990-01&to=2040-07",
    "a zipcode": "/zipcode?zipcode=9000",
    "a zipcode without a factor": "/zipcode?zipcode=9993",
    "an unknown address": "/zipcode?zip=9000",
}


def target(state: str, language: str) -> str:
    """The address of a state in a language."""
    path = STATES[state]
    return f"{path}{'&' if '?' in path else '?'}lang={language}"
