"""A page as it leaves: the templates filled in, with the headers that every page has."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from markupsafe import Markup, escape

from entrypoints.http.negotiation import LANGUAGES, preferred_language
from entrypoints.http.pages.catalogue import DEFAULT_LANGUAGE, Texts, texts_of
from entrypoints.http.pages.writing import Writer
from entrypoints.http.problems import RETRY_AFTER_SECONDS
from entrypoints.http.representation import HTML, Validity, represent_html

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_SECURITY = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
ASSET_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FOLDER = files(__package__)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: in which language, and whether that was said in the address or found in `Accept-Language`."""

    language: str
    said: bool

    @property
    def texts(self) -> Texts:
        return texts_of(self.language)

    @property
    def writer(self) -> Writer:
        return _writer(self.language)


def reader_of(request: Request[Any, Any, Any]) -> Reader:
    """Whoever sent this request; one who names a language that there is not is asked for by `Accept-Language`."""
    said = request.query_params.get("lang")
    if said in LANGUAGES:
        return Reader(str(said), said=True)
    accepted = ", ".join(request.headers.getall("accept-language", []))
    return Reader(preferred_language(accepted, LANGUAGES) or DEFAULT_LANGUAGE, said=False)


def query_of(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    """The query in its own order; the framework's is that of a hash."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def page(
    request: Request[Any, Any, Any],
    reader: Reader,
    template: str,
    context: Mapping[str, Any],
    *,
    tag: str,
    validity: Validity,
    accept: bool = False,
) -> Response[Any]:
    """A page about data of the version `tag`. It is not kept here where its language was negotiated."""
    vary = [*(["Accept"] if accept else []), *([] if reader.said else ["Accept-Language"])]
    return represent_html(
        request,
        _render(request, reader, template, context),
        tag=f"{tag}-{reader.language}-{edition()}",
        validity=validity if reader.said else validity._replace(settled=False),
        vary=", ".join(vary) or None,
        headers={"Content-Language": reader.language, **_SECURITY},
    )


def refusal(
    request: Request[Any, Any, Any], reader: Reader, template: str, context: Mapping[str, Any], *, status: int
) -> Response[str]:
    """A page that says what is wrong: nobody keeps it."""
    headers = {"Cache-Control": "no-store", "Content-Language": reader.language, **_SECURITY}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Response(
        _render(request, reader, template, context),
        status_code=status,
        media_type=HTML,
        headers=headers,
    )


def _render(request: Request[Any, Any, Any], reader: Reader, template: str, context: Mapping[str, Any]) -> str:
    path, query = request.scope["path"], [each for each in query_of(request) if each[0] != "lang"]

    def in_language(language: str) -> str:
        return f"{path}?{urlencode([*query, ('lang', language)])}"

    def link(to: str, **more: object) -> str:
        return f"{to}?{urlencode({**more, 'lang': reader.language})}"

    return (
        _environment()
        .get_template(template)
        .render(
            t=reader.texts,
            w=reader.writer,
            language=reader.language,
            languages={each: texts_of(each).site.language for each in LANGUAGES},
            in_language=in_language,
            link=link,
            path=path,
            **context,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__ or ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["fill"] = fill
    environment.globals["asset"] = asset_path
    return environment


def fill(text: str, **values: object) -> Markup:
    """A text with its blanks filled in; values are escaped unless they are markup themselves."""
    return escape(text).format(**values)


@cache
def _writer(language: str) -> Writer:
    return Writer(texts_of(language).writing)


# -- files -------------------------------------------------------------------------------------------


@cache
def asset(name: str) -> bytes:
    """A file that the pages load."""
    return (_FOLDER / "assets" / name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Its address, which changes with its content: browsers keep it for good."""
    stem, _, suffix = name.partition(".")
    return f"/assets/{stem}.{sha256(asset(name)).hexdigest()[:10]}.{suffix}"


@cache
def edition() -> str:
    """Changes with everything that pages are made of beside the data."""
    digest = sha256(version("belref").encode())
    for folder in ("assets", "templates", "texts"):
        for file in sorted((_FOLDER / folder).iterdir(), key=lambda each: each.name):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
