# SPDX-License-Identifier: MIT
"""Builds the package's wheel and source archive (PEP 517) with the standard library alone, so that `pip install ./python` works in
an empty venv without a network. A shared library that lies beside the package's files goes into the wheel, and the licences of what is
in it, if there is such a folder."""
import base64
import hashlib
import io
import re
import struct
import sysconfig
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "blastmerge"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal input gives equal output


def _version():
    return re.search(r'^__version__ = "(.*)"$', (HERE / NAME / "__init__.py").read_text(encoding="utf-8"), re.M).group(1)


def _libraries():
    return sorted(path for pattern in ("libblastmerge*.so*", "libblastmerge*.dylib") for path in (HERE / NAME).glob(pattern))


def _sources():
    return sorted(path for path in (HERE / NAME).iterdir() if path.suffix == ".py" or path.name == "py.typed")


def _metadata():
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    return (f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {_version()}\n"
            "Summary: Merge the result files of a split BLAST search, without compressing again\n"
            "License: MIT\nRequires-Python: >=3.9\nDescription-Content-Type: text/markdown\n\n" + readme)


def _tag():
    """What the wheel runs on. A library that needs glibc alone runs wherever that is as new as its newest symbol (PEP 600)."""
    if not _libraries():
        return "py3-none-any"
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not platform.startswith("linux_"):
        return "py3-none-" + platform
    names = [name for path in _libraries() for name in _dynamic_names(path.read_bytes())]
    needed = {name.split(".so")[0] for name in names if re.fullmatch(r"(lib|ld-linux)[\w+-]*\.so[.\d]*", name)}
    if needed - {"libblastmerge", "libc", "libm", "libdl", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64"}:
        return "py3-none-" + platform
    versions = [(int(major), int(minor)) for name in names for major, minor in re.findall(r"^GLIBC_(\d+)\.(\d+)", name)]
    major, minor = max(versions)
    return f"py3-none-manylinux_{major}_{minor}_{platform[len('linux_'):]}"


def _dynamic_names(elf):
    """The names that a 64-bit little-endian ELF file gives to the dynamic linker: libraries, symbols, versions."""
    header, size, number = struct.unpack_from("<Q", elf, 0x28)[0], *struct.unpack_from("<HH", elf, 0x3A)
    for n in range(number):
        kind, flags, _, offset, length = struct.unpack_from("<I4Q", elf, header + n * size + 4)
        if kind == 3 and flags & 2:  # a table of strings that is loaded
            return [name.decode("ascii", "replace") for name in elf[offset:offset + length].split(b"\0")]
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):  # pylint: disable=unused-argument
    """The wheel's file name."""
    information = f"{NAME}-{_version()}.dist-info"
    is_pure = "false" if _libraries() else "true"
    files = [(f"{NAME}/{path.name}", path.read_bytes()) for path in _sources() + _libraries()]
    files += [(f"{information}/licenses/{path.name}", path.read_bytes()) for path in sorted((HERE / "licences").glob("*"))]
    files.append((f"{information}/METADATA", _metadata().encode()))
    files.append((f"{information}/WHEEL", f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: {is_pure}\nTag: {_tag()}\n".encode()))
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files) + f"{information}/RECORD,,\n"
    files.append((f"{information}/RECORD", record.encode()))
    made = f"{NAME}-{_version()}-{_tag()}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / made, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return made


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build_sdist(sdist_directory, config_settings=None):  # pylint: disable=unused-argument
    """The source archive's file name. It has no shared library."""
    root = f"{NAME}-{_version()}"
    files = [(str(path.relative_to(HERE)), path.read_bytes())
             for path in [HERE / "pyproject.toml", HERE / "README.md", HERE / "build_wheel.py"] + _sources()]
    with tarfile.open(Path(sdist_directory) / f"{root}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files + [("PKG-INFO", _metadata().encode())]:
            entry = tarfile.TarInfo(f"{root}/{name}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return f"{root}.tar.gz"
