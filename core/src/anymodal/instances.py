"""A provider under each of its names, and what it is given there, as settings have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from .catalogue import table
from .config import Settings
from .connection import Clock, Connection, CredentialSource, Tls
from .errors import ConfigurationError, SettingsError
from .layers import WrongValueError, url
from .resolution import Offer
from .scopes import Scope
from .secrets import SecretSource, credentials_for, is_ambient, missing, reference, variables
from .specs import ProviderSpec
from .tls import Certificates
from .vendor_options import vendor_option

__all__ = ["connection_for", "credentials_of", "under_each_name", "variables_of"]

AnySpec = ProviderSpec[Any]


def under_each_name(spec: AnySpec, label: str, settings: Settings, scope: Scope) -> Iterator[Offer]:
    """
    Give *spec* under its own id and under each instance's name.

    Args:
        spec: What a plugin offers.
        label: Distribution and version of the plugin.
        settings: What is set.
        scope: For whom.

    Raises:
        SettingsError: Facts of models, or options of the vendor's own, are wrong.
    """
    models = table(spec, settings.models)
    names = [name for name, one in settings.instances.items() if spec.goes_by(one.provider or "")]
    if spec.id not in settings.instances:  # a name of the user's own wins over what was installed
        names.insert(0, spec.id)
    for name in names:
        said = settings.of(name)
        yield Offer(
            instance=name,
            spec=spec,
            models=models,
            plugin=label,
            enabled=_is_enabled(spec, name, settings),
            missing=_missing(spec, name, settings, scope),
            deadlines=said.deadlines(spec.deadlines),
            scope=scope,
            default_model=said.default_models.get(spec.modality) or spec.default_model,
            priority=spec.priority if said.priority is None else said.priority,
            facts=settings.models,
            options={
                **settings.options.get(spec.modality, {}),
                **said.options.get(spec.modality, {}),
            },
            vendor_option=vendor_option(
                spec, said.vendor_options.get(spec.modality), settings.section(name)
            ),
        )


def _is_enabled(spec: AnySpec, name: str, settings: Settings) -> bool:
    flag = settings.flags.get(spec.flag or spec.id)
    return settings.of(name).enabled is not False and flag is not False


# -- keys, addresses, timeouts -------------------------------------------------------------


def _given(
    spec: AnySpec, name: str, settings: Settings, scope: Scope
) -> tuple[Mapping[str, object], bool]:
    """Return what is set of credentials, and whether the vendor's variables count."""
    ambient = scope.keys is None and is_ambient(spec, name, _said_address(spec, name, settings))
    return scope.given(name, settings.of(name).rest), ambient


def _said_address(spec: AnySpec, name: str, settings: Settings) -> str | None:
    """
    Return the base URL of the settings, or of a variable that counts; None where unsaid.

    Raises:
        ConfigurationError: A variable names one that is none.
    """
    said = settings.of(name).base_url
    if said is not None or name != spec.id:
        return said
    for variable in spec.url_env:
        if found := settings.environ.get(variable):
            try:
                return url(found)
            except WrongValueError as error:
                msg = f"{variable}: {error}"
                raise ConfigurationError(msg) from None
    return None


def _stored(
    spec: AnySpec, name: str, settings: Settings, scope: Scope, *, ambient: bool
) -> frozenset[str]:
    """Return the names of the keys in the keyring; they stay home like those of variables."""
    if scope.keys is not None or (name == spec.id and not ambient):
        return frozenset()
    pairs = (one.partition("/") for one in settings.stored)
    return frozenset(credential for instance, _, credential in pairs if instance == name)


def _missing(spec: AnySpec, name: str, settings: Settings, scope: Scope) -> str:
    """Return what has to be set before *spec* can be used as *name*, or an empty string."""
    try:
        address = _said_address(spec, name, settings) or spec.base_url
    except ConfigurationError as error:
        return str(error)
    if address is None and spec.kind == "remote":
        variable = f", or {spec.url_env[0]}" if spec.url_env and name == spec.id else ""
        return f"{name} needs an address: set base_url in {settings.section(name)}{variable}."
    given, ambient = _given(spec, name, settings, scope)
    lack = missing(
        spec,
        instance=name,
        given=given,
        environ=settings.environ,
        ambient=ambient,
        stored=_stored(spec, name, settings, scope, ambient=ambient),
    )
    if lack and scope.keys is not None:
        return f"{name} needs a key of {scope.name}'s own: scoped(…, keys={{{name!r}: …}})."
    return str(lack) if lack else ""


def credentials_of(
    offer: Offer, settings: Settings, scope: Scope, *, sources: Sequence[SecretSource] = ()
) -> Mapping[str, CredentialSource]:
    """
    Return the keys of *offer*. May read files and run commands, so it belongs into a thread.

    Raises:
        MissingCredentialsError: A required one is not set.
        ConfigurationError: One cannot be read, or is no key.
    """
    spec, name = offer.spec, offer.instance
    given, ambient = _given(spec, name, settings, scope)
    return credentials_for(
        spec,
        instance=name,
        given=given,
        environ=settings.environ,
        ambient=ambient,
        stored=_stored(spec, name, settings, scope, ambient=ambient),
        sources=sources,
    )


def variables_of(offer: Offer, settings: Settings, scope: Scope) -> Mapping[str, str | None]:
    """Return the variables that have a say in the keys of *offer*, and what they say."""
    given, ambient = _given(offer.spec, offer.instance, settings, scope)
    addresses = {one: settings.environ.get(one) for one in offer.spec.url_env}
    keys = variables(offer.spec, given=given, environ=settings.environ, ambient=ambient)
    return {**addresses, **keys}


def connection_for(
    offer: Offer,
    settings: Settings,
    scope: Scope,
    *,
    sources: Sequence[SecretSource],
    tls: Tls,
    clock: Clock,
) -> Connection:
    """
    Return what `connect` of *offer* is given.

    Raises:
        SettingsError: The instance has settings that its plugin does not know.
        ConfigurationError: A key or a proxy is missing, or cannot be read.
    """
    spec, name = offer.spec, offer.instance
    said = settings.of(name)
    http = settings.http.merged(said.http)
    secret = {credential.name for credential in spec.credentials}
    own = {key: value for key, value in said.rest.items() if key not in secret}
    if strange := sorted(own.keys() - spec.settings):
        known = ", ".join(sorted(secret | spec.settings)) or "none"
        faults = [
            f"{name}.{key}: {spec.id} has no such setting; its own are {known}." for key in strange
        ]
        raise SettingsError(faults)
    proxy = http.proxy
    if proxy:
        proxy = reference(proxy, where="http.proxy", environ=settings.environ).reveal()
    return Connection(
        provider=spec.id,
        instance=name,
        base_url=(_said_address(spec, name, settings) or spec.base_url or "").rstrip("/"),
        credentials=credentials_of(offer, settings, scope, sources=sources),
        deadlines=said.deadlines(spec.deadlines),
        settings=own,
        ambient=_given(spec, name, settings, scope)[1],
        tls=tls,
        certificates=Certificates(
            **attrs.asdict(http, filter=lambda field, _: field.name.endswith("_file"))
        ),
        proxy=proxy,
        clock=clock,
        http_backend=http.backend or settings.http_backend,
        refine=spec.errors,
    )
