import os
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from simulators.hubs.certificates import PASSPHRASE, Authority, CertificateOrder, client_certificate
from simulators.hubs.exchange import ClientCertificate

NAMES = ("DE*ABC", "+49*810")


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path / "tls", NAMES)
    made.write_files()
    return made


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def common_name(path):
    return certificate(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def serial(path):
    return f"{certificate(path).serial_number:X}"


def shown(path, *, expired=False):
    return ClientCertificate(common_name(path), serial(path), "Mock hub authority", expired)


def test_servers_that_are_strict_take_a_certificate_of_ours(authority):
    for name in ("client.pem", "client-foreign.pem"):
        found = certificate(authority.folder / name).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert found.value.get_values_for_type(x509.DNSName) == ["client.test"]  # RFC 5280 §4.2.1.6: one or more


def load(*files, password=None):
    ssl.create_default_context().load_cert_chain(*files, password=password)


def obey(authority, **order):
    return authority.obey(CertificateOrder.model_validate(order))


def test_files_are_written_for_every_operator_and_every_mishap(authority):
    assert sorted(path.name for path in authority.folder.iterdir()) == [
        "ca.pem",
        "client-49810.pem",
        "client-DEABC.pem",
        "client-encrypted.key",
        "client-encrypted.pem",
        "client-expired.pem",
        "client-foreign.pem",
        "client-mismatched.pem",
        "client-without-key.pem",
        "client.key",
        "client.pem",
        "foreign-ca.pem",
    ]


def test_files_are_for_their_owner_only_also_where_they_were_there(tmp_path):
    (tmp_path / "client.key").touch(0o644)
    os.chmod(tmp_path / "client.key", 0o644)
    Authority(tmp_path, NAMES).write_files()
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}


def test_good_files_load_and_name_their_operator(authority):
    folder = authority.folder
    load(folder / "client-DEABC.pem")
    load(folder / "client.pem", folder / "client.key")
    assert common_name(folder / "client-DEABC.pem") == common_name(folder / "client.pem") == "DE*ABC"
    assert common_name(folder / "client-49810.pem") == "+49*810"


def test_encrypted_key_opens_with_its_passphrase_only(authority):
    key = (authority.folder / "client-encrypted.key").read_bytes()
    with pytest.raises(ValueError, match=r"[Pp]assword|decrypt"):
        load_pem_private_key(key, b"wrong")
    load(authority.folder / "client-encrypted.pem", password=PASSPHRASE)
    load(authority.folder / "client.pem", authority.folder / "client-encrypted.key", password=PASSPHRASE)


@pytest.mark.parametrize("name", ["client-mismatched.pem", "client-without-key.pem"])
def test_broken_files_do_not_load(authority, name):
    with pytest.raises(ssl.SSLError):
        load(authority.folder / name)


def test_expired_certificate_is_over_since_a_day(authority):
    over = certificate(authority.folder / "client-expired.pem").not_valid_after_utc
    assert timedelta(hours=23) < datetime.now(UTC) - over < timedelta(hours=25)


def test_foreign_certificate_is_of_the_other_authority(authority):
    foreign = certificate(authority.folder / "client-foreign.pem")
    foreign.verify_directly_issued_by(certificate(authority.folder / "foreign-ca.pem"))
    certificate(authority.folder / "client.pem").verify_directly_issued_by(certificate(authority.folder / "ca.pem"))


def test_server_speaks_tls_1_2_or_newer(authority):
    assert authority.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert authority.context.verify_mode is ssl.CERT_REQUIRED


def test_authority_without_anyone_to_certify_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        Authority(tmp_path, ())


def test_expired_certificate_is_not_taken(authority):
    assert authority.takes(shown(authority.folder / "client.pem"))
    assert not authority.takes(shown(authority.folder / "client.pem", expired=True))


@pytest.mark.parametrize(
    "by",
    [lambda path: "DE*ABC", serial, lambda path: f"00{serial(path).lower()}"],
    ids=["common-name", "serial", "serial-as-others-write-it"],
)
def test_revoked_certificate_is_not_taken_but_a_later_one_is(authority, by):
    old = authority.folder / "client.pem"
    assert obey(authority, revoke=by(old))["revoked"]
    assert not authority.takes(shown(old))
    assert authority.takes(shown(authority.folder / "client-49810.pem"))
    issued = obey(authority, issue="DE*ABC", days=40)
    fresh = authority.folder / f"client-DEABC-{issued['serial'][:8]}.pem"
    assert issued["path"] == str(fresh)
    assert serial(fresh) == issued["serial"]
    assert fresh.stat().st_mode & 0o777 == 0o600
    assert authority.takes(shown(fresh))
    left = certificate(fresh).not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=39) < left < timedelta(days=40)


def test_only_accepted_serials_are_taken_and_those_issued_later(authority):
    old, other = authority.folder / "client.pem", authority.folder / "client-49810.pem"
    status = obey(authority, accept_serials=[serial(other)])
    assert status["accept_serials"] == [serial(other)]
    assert (authority.takes(shown(old)), authority.takes(shown(other))) == (False, True)
    issued = obey(authority, issue="DE*ABC")
    assert authority.takes(ClientCertificate("DE*ABC", issued["serial"], "", expired=False))
    obey(authority, accept_serials=None)
    assert authority.takes(shown(old))


def test_issued_certificate_can_replace_the_operators_files(authority):
    before = (authority.folder / "client-49810.pem").read_bytes()
    issued = obey(authority, issue="DE*ABC", replace=True)
    assert issued["path"] == str(authority.folder / "client-DEABC.pem")
    assert serial(authority.folder / "client-DEABC.pem") == serial(authority.folder / "client.pem") == issued["serial"]
    load(authority.folder / "client.pem", authority.folder / "client.key")
    assert (authority.folder / "client-49810.pem").read_bytes() == before


def test_unknown_name_to_revoke_is_told(authority):
    with pytest.raises(ValueError, match=r"nothing was issued for 'DE\*XYZ'"):
        obey(authority, revoke="DE*XYZ")


@pytest.mark.parametrize("order", [{"issue": "../x"}, {"issue": ""}, {"days": 10**6}, {"renew": True}], ids=str)
def test_senseless_order_is_refused(order):
    with pytest.raises(ValidationError):
        CertificateOrder.model_validate(order)


def test_client_is_read_from_what_python_says_of_its_peer():
    peer = {
        "subject": ((("organizationName", "trustme"),), (("commonName", "DE*ABC"),)),
        "issuer": ((("organizationalUnitName", "Mock hub authority"),),),
        "serialNumber": "0CE5",
        "notAfter": "Jan  1 00:00:10 1970 GMT",
    }
    assert client_certificate(peer, 9) == ClientCertificate("DE*ABC", "CE5", "Mock hub authority", expired=False)
    assert client_certificate(peer, 10).expired
