import re
import stat

from cryptography import x509
from cryptography.x509.oid import NameOID

from simulators.fleet.plan import Plan
from simulators.fleet.quirks import chosen
from simulators.fleet.station_certificates import client_file, write_certificates


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes()[path.read_bytes().index(b"-----BEGIN CERTIFICATE") :])


def name_of(path):
    (name,) = certificate(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return name.value


def test_each_station_has_a_certificate_with_its_id_and_an_id_is_no_path(tmp_path):
    specs = Plan(3, 7, quirks=chosen(["odd-id"]), quirk_share=0.5).specs()
    assert write_certificates(tmp_path, specs) == 3
    for spec in specs:
        assert name_of(client_file(tmp_path, spec.station)) == spec.station
    assert client_file(tmp_path, "../CP 1") == tmp_path / "station-..%2FCP%201.pem"


def test_servers_that_are_strict_take_a_stations_certificate_whatever_its_id(tmp_path):
    odd = Plan(1, 7, quirks=chosen(["odd-id"]), quirk_share=1).specs()
    write_certificates(tmp_path, [*odd, *Plan(1, 7).specs()])
    names = {name_of(path): host_names_of(path) for path in tmp_path.glob("station-*")}
    assert names.pop("SIM-00001") == ["sim-00001.station.test"]
    ((station, (name,)),) = names.items()
    assert station != station.strip() or not station.isalnum()
    assert re.fullmatch(r"id-[0-9a-f]{16}\.station\.test", name)


def host_names_of(path):
    """Return what RFC 5280 §4.2.1.6 wants at least one of, where the extension is there."""
    return (
        certificate(path)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
    )


def test_the_servers_certificate_is_for_this_machine_and_of_the_same_authority(tmp_path):
    write_certificates(tmp_path, Plan(1, 7).specs())
    server = certificate(tmp_path / "server.pem")
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    server.verify_directly_issued_by(certificate(tmp_path / "ca.pem"))


def test_only_the_owner_can_read_the_files(tmp_path):
    write_certificates(tmp_path, Plan(1, 7).specs())
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("ca.pem", "server.key", "server.pem", "station-SIM-00001.pem")
    ]
