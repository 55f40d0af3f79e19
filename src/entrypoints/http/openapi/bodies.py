"""What the bodies of batches look like, as schemas with names of their own."""

from litestar.openapi.spec import OpenAPIType, Reference, Schema

from domain.health_index.indexation import IndexKind
from domain.leases.rent import Region
from entrypoints.http.openapi import values as v

_MOST = 1000  # cases


def _object(required: list[str], properties: dict[str, Schema | Reference]) -> Schema:
    return Schema(type=OpenAPIType.OBJECT, properties=properties, required=required, additional_properties=False)


def _cases(items: str, case: Schema | Reference, **more: Schema) -> Schema:
    return _object([items], {items: Schema(type=OpenAPIType.ARRAY, items=case, max_items=_MOST), **more})


def reference(name: str) -> Reference:
    """To one of the schemas of the document."""
    return Reference(ref=f"#/components/schemas/{name}")


SCHEMAS: dict[str, Schema] = {
    "Amount": v.AMOUNT_IN_A_BODY,
    "IndexationCase": _object(
        ["amount", "from", "to"],
        {
            "amount": reference("Amount"),
            "from": v.MONTH,
            "to": v.MONTH,
            "base_year": v.or_null(v.BASE_YEAR),
            "index": v.one_of(IndexKind, IndexKind.HEALTH.value),
        },
    ),
    "IndexationCases": _cases("items", reference("IndexationCase"), as_of=v.or_null(v.INSTANT)),
    "RentCase": _object(
        ["rent", "signed_on", "starts_on"],
        {
            "rent": reference("Amount"),
            "region": v.or_null(v.one_of(Region)),
            "zipcode": v.or_null(v.ZIPCODE_IN_A_BODY),
            "signed_on": v.DATE,
            "starts_on": v.DATE,
            "on": v.or_null(v.DATE),
            "energy_label": v.or_null(v.LABEL),
            "rent_before": v.or_null(reference("Amount")),
        },
    ),
    "RentCases": _cases("items", reference("RentCase"), as_of=v.or_null(v.INSTANT)),
    "ZipcodeCases": _cases("zipcodes", v.ZIPCODE_IN_A_BODY),
}

OF_OPERATION = {
    "createIndexations": "IndexationCases",
    "createRentIndexations": "RentCases",
    "lookUpZipcodes": "ZipcodeCases",
}
"""The schema of the body that each operation takes."""
