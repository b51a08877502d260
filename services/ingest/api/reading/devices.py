"""The many names of devices.

Pure: no framework.
"""

from collections.abc import Mapping

from shared.messages import Device

_NAMES: Mapping[Device, tuple[str, ...]] = {
    Device.UNKNOWN: ("unspecified", "desconhecido"),
    Device.DESKTOP: ("computers", "computer", "computadores", "computador", "pc"),
    Device.MOBILE: (
        *("mobile phones", "mobile phone", "mobiles", "smartphones", "smartphone", "mobile devices"),
        *("mobile devices with full browsers", "celulares", "smartphones com navegadores completos"),
        *("dispositivos móveis com navegadores completos", "android smartphone", "iphone", "ipod"),
    ),
    Device.TABLET: (
        "tablets",
        "tablets with full browsers",
        "tablets com navegadores completos",
        "ipad",
        "android tablet",
    ),
    Device.CONNECTED_TV: (
        *("tv screens", "tv screen", "connected tv", "telas de tv"),
        "devices streaming video content to tv screens",
    ),
    Device.OTHER: ("others", "outros"),
}

DEVICE_NAMES: Mapping[str, Device] = {name: device for device in Device for name in (device.lower(), *_NAMES[device])}
"""Which device each name means, in lower case."""
