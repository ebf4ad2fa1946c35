"""The device grant (RFC 8628 section 3.4): a device asks until a person has answered elsewhere."""

from idp.domain.approvals import DEVICE
from idp.domain.metadata.members import DEVICE_CODE
from idp.protocol.approval.grant import Polled


class DeviceCode(Polled):
    """Gives the tokens that a person allowed a device."""

    GRANT_TYPE = DEVICE_CODE
    KIND = DEVICE
    HANDLE = "device_code"
