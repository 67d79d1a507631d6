"""A plugin whose top module does what only `connect` may."""

import httpx2  # noqa: F401  # the fault
from anymodal import hookimpl


class Plugin:
    @hookimpl
    def anymodal_text_providers(self):
        from acme import spec

        return [spec(id="acme-imports-http", backends={"asyncio"})]

    @hookimpl
    def anymodal_emulators(self):
        from acme import Plugin as Good
        from acme import spec

        return Good(lambda: spec(id="acme-imports-http")).anymodal_emulators()
