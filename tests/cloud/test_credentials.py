# SPDX-License-Identifier: MIT
"""Where credentials come from: a small local server stands in for each that hands them out, and the real stores judge them."""
import json
import time

import pytest
import stores
from conftest import merge
from program import DENIED, OK, USAGE
from standin import StandIn, token

SOON = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
KEYS = {"AccessKeyId": "AKTEST", "SecretAccessKey": "SKTEST", "Expiration": SOON}
WRONG = {**KEYS, "SecretAccessKey": "SESAME-SECRET"}


@pytest.fixture(scope="module")
def child(s3, azure, children):
    children.upload(s3, "short")
    children.upload(azure, "short")
    return children.paths[0].read_bytes()


@pytest.fixture()
def standin():
    with StandIn() as made:
        yield made


def s3_env(s3, **env):
    return {"AWS_ENDPOINT_URL_S3": s3.env()["AWS_ENDPOINT_URL_S3"], **env}


def check(store, env, expected=OK):
    done = merge("check", store.url("short/batch_8.xml.gz"), env=env)
    assert done.code == expected, done.err
    for secret in ("SKTEST", "SESAME", stores.KEY, "the-header", "the-jwt"):
        assert secret not in done.err + done.out.decode()
    return done


# --- AWS -----------------------------------------------------------------------------------------------

def test_aws_profile(s3, child, tmp_path):
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = NOBODY\naws_secret_access_key = SESAME\n"
                                          "[mine]\n# a comment\naws_access_key_id=AKTEST\n"
                                          "aws_secret_access_key =  SKTEST  \n")
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    check(s3, s3_env(s3, AWS_PROFILE="mine", **files))
    check(s3, s3_env(s3, **files), DENIED)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile other]\nregion = us-east-1\naws_access_key_id = AKTEST\n"
                                              "aws_secret_access_key = SKTEST\n")
    check(s3, s3_env(s3, AWS_PROFILE="other", HOME=str(tmp_path)))


def test_aws_web_identity(s3, child, standin, tmp_path):
    (tmp_path / "jwt").write_text("the-jwt\n")
    env = s3_env(s3, AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "jwt"), AWS_ROLE_ARN="arn:aws:iam::1:role/r",
                 AWS_ENDPOINT_URL_STS=standin.url)

    def answer(request):
        if "WebIdentityToken=the-jwt" not in request.body or "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr" not in request.body:
            return 400, ""
        return 200, ("<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>AKTEST</AccessKeyId>"
                     f"<SecretAccessKey>SKTEST</SecretAccessKey><SessionToken></SessionToken><Expiration>{SOON}"
                     "</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>")

    standin.answers["/"] = answer
    check(s3, env)
    standin.answers["/"] = lambda request: (403, "<Error><Code>AccessDenied</Code></Error>")
    check(s3, env, DENIED)


def test_aws_container(s3, child, standin, tmp_path):
    (tmp_path / "token").write_text("the-header")
    env = s3_env(s3, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{standin.url}/keys",
                 AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"))
    standin.answers["/keys"] = lambda request: \
        (200, json.dumps(KEYS)) if request.headers["Authorization"] == "the-header" else (401, "")
    check(s3, env)
    check(s3, {**env, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.org/keys"}, DENIED)


def machine(standin, keys):
    standin.answers["/latest/api/token"] = lambda request: \
        (200, "session") if request.command == "PUT" and request.headers["X-aws-ec2-metadata-token-ttl-seconds"] else (400, "")
    path = "/latest/meta-data/iam/security-credentials/"

    def with_session(text):
        return lambda request: (200, text()) if request.headers["X-aws-ec2-metadata-token"] == "session" else (401, "")

    standin.answers[path] = with_session(lambda: "the-role")
    standin.answers[path + "the-role"] = with_session(lambda: json.dumps(keys()))


def test_aws_machine(s3, child, standin):
    env = s3_env(s3, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=standin.url)
    machine(standin, lambda: KEYS)
    check(s3, env)
    machine(standin, lambda: WRONG)
    check(s3, env, DENIED)


def test_aws_renews_before_it_expires(s3, child, standin):
    """Keys that are about to expire are fetched anew for the next request: there is one for each child."""
    old = {**KEYS, "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))}
    machine(standin, lambda: old)
    env = s3_env(s3, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=standin.url)
    done = merge("check", *[s3.url("short/batch_8.xml.gz")] * 2, env=env)
    assert done.code == OK, done.err
    assert sum(request.path.endswith("the-role") for request in standin.log) >= 2


def test_aws_renews_what_was_refused(s3, child, standin):
    """ExpiredToken: once anew."""
    from faultproxy import Fault, Proxy
    machine(standin, lambda: KEYS)
    with Proxy(s3.port) as proxy:
        refusal = Fault("status", code=400, body=b"<Error><Code>ExpiredToken</Code></Error>")
        seen = []
        proxy.reset(lambda request: refusal if request.method == "GET" and not seen and not seen.append(1) else None)
        env = {"AWS_ENDPOINT_URL_S3": proxy.url, "AWS_EC2_METADATA_DISABLED": "false",
               "AWS_EC2_METADATA_SERVICE_ENDPOINT": standin.url}
        check(s3, env)
        assert sum(request.path.endswith("the-role") for request in standin.log) == 2
        proxy.reset(lambda request: refusal if request.method == "GET" else None)
        check(s3, env, DENIED)


# --- Azure ---------------------------------------------------------------------------------------------

def test_azure_connection_string(azure, child):
    endpoint = f"http://127.0.0.1:{azure.port}/{stores.ACCOUNT}"
    string = f"DefaultEndpointsProtocol=http;AccountName={stores.ACCOUNT};BlobEndpoint={endpoint};"
    check(azure, {"AZURE_STORAGE_CONNECTION_STRING": f"{string}AccountKey={stores.KEY};"})
    check(azure, {"AZURE_STORAGE_CONNECTION_STRING": f"{string}SharedAccessSignature={azure.sas('r')}"})


def test_azure_sas_in_environment(azure, child):
    env = {"AZURE_STORAGE_SERVICE_ENDPOINT": f"http://127.0.0.1:{azure.port}"}
    check(azure, {**env, "AZURE_STORAGE_SAS_TOKEN": "?" + azure.sas("r")})
    check(azure, {**env, "AZURE_STORAGE_SAS_TOKEN": azure.sas("r"), "AZURE_STORAGE_ACCOUNT": "somebody"}, DENIED)


class Blob(StandIn):
    """A blob that needs a bearer token, over http on this machine; Azurite takes tokens over https alone."""

    def __init__(self, data):
        super().__init__()
        self.tokens = []

        def answer(request):
            self.tokens.append(request.headers["Authorization"])
            if request.headers["Authorization"] != f"Bearer {self.expected}":
                return 401, ""
            return 404, ""

        self.expected = token()
        self.answers[f"/{stores.ACCOUNT}/children/short/batch_8.xml.gz"] = answer


def bearer_env(blob, **env):
    return {"AZURE_STORAGE_SERVICE_ENDPOINT": blob.url, **env}


def ask_blob(blob, env):
    done = merge("check", f"az://{stores.ACCOUNT}/children/short/batch_8.xml.gz", env=bearer_env(blob, **env))
    assert blob.expected not in done.err
    return done.code


def test_azure_workload_identity(standin, tmp_path):
    (tmp_path / "jwt").write_text("the-jwt")
    with Blob(b"") as blob:
        standin.answers["/tenant/oauth2/v2.0/token"] = lambda request: \
            (200, json.dumps({"access_token": blob.expected, "expires_in": 3600})) \
            if "client_assertion=the-jwt" in request.body and "client_id=me" in request.body else (400, "")
        env = {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "jwt"), "AZURE_CLIENT_ID": "me", "AZURE_TENANT_ID": "tenant",
               "AZURE_AUTHORITY_HOST": standin.url + "/"}
        assert ask_blob(blob, env) == 7  # the token was good: 404 is what there is
        assert ask_blob(blob, {**env, "AZURE_AUTHORITY_HOST": "http://example.org/"}) == DENIED


def test_azure_managed_identity(standin):
    with Blob(b"") as blob:
        answer = json.dumps({"access_token": blob.expected, "expires_on": str(int(time.time()) + 3600)})
        standin.answers["/msi/token"] = lambda request: \
            (200, answer) if request.headers["X-IDENTITY-HEADER"] == "the-header" else (401, "")
        assert ask_blob(blob, {"IDENTITY_ENDPOINT": f"{standin.url}/msi/token", "IDENTITY_HEADER": "the-header"}) == 7
        standin.answers["/metadata/identity/oauth2/token"] = lambda request: \
            (200, answer) if request.headers["Metadata"] == "true" and "resource=https%3A%2F%2Fstorage.azure.com%2F" \
            in request.path else (400, "")
        assert ask_blob(blob, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": standin.url}) == 7
        assert ask_blob(blob, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": standin.url, "AZURE_CLIENT_ID": "me"}) == 7
        assert "client_id=me" in standin.log[-1].path


# --- Google --------------------------------------------------------------------------------------------

def test_google_sends_what_its_documents_say(standin):
    """No server of theirs can be had: the requests are looked at, no more."""
    seen = {}
    standin.answers["/bucket/key"] = lambda request: (seen.update(request.headers.items()), (404, ""))[1]
    done = merge("check", "--endpoint", standin.url, "gs://bucket/key", env={"CLOUDSDK_AUTH_ACCESS_TOKEN": "the-jwt"})
    assert done.code == 7 and seen["Authorization"] == "Bearer the-jwt" and seen["Accept-Encoding"] == "gzip"
    merge("check", "--endpoint", standin.url, "gs://bucket/key",
          env={"GS_ACCESS_KEY_ID": "GOOG1", "GS_SECRET_ACCESS_KEY": "SESAME"})
    assert seen["Authorization"].startswith("GOOG4-HMAC-SHA256 Credential=GOOG1/") and "x-goog-date" in seen


# --- what is refused before anything is sent -------------------------------------------------------------

FAR = "http://198.51.100.1"
ODD = [f"{FAR}/x", "http://127.0.0.1:x@198.51.100.1/x", "http://127.0.0.1.example.invalid/x", "http://localhost.example.invalid/",
       "http://169.254.169.254.example.invalid/", "http://169.254.169.254@198.51.100.1/", "http://0xc6336401/", "HTTP://198.51.100.1/",
       "http://127.0.0.1\\@198.51.100.1/", "http://198.51.100.1#@127.0.0.1/", "http://[::ffff:198.51.100.1]/", "file:///etc/passwd"]


@pytest.mark.parametrize("url", ODD)
def test_settings_name_a_near_host(url, tmp_path):
    """Credentials' servers over http are near ones; what an URL looks like does not count."""
    (tmp_path / "jwt").write_text("the-jwt")
    s3, azure = "s3://bucket/key", "az://account/container/blob"
    sts = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "jwt"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
    workload = {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "jwt"), "AZURE_CLIENT_ID": "me", "AZURE_TENANT_ID": "tenant"}
    for location, name, more in (
            (s3, "AWS_CONTAINER_CREDENTIALS_FULL_URI", {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "the-header"}),
            (s3, "AWS_EC2_METADATA_SERVICE_ENDPOINT", {"AWS_EC2_METADATA_DISABLED": "false"}), (s3, "AWS_ENDPOINT_URL_STS", sts),
            (azure, "AZURE_AUTHORITY_HOST", workload), (azure, "IDENTITY_ENDPOINT", {"IDENTITY_HEADER": "the-header"}),
            (azure, "AZURE_POD_IDENTITY_AUTHORITY_HOST", {})):
        done = merge("check", location, env={name: url, **more}, timeout=20)
        assert done.code in (DENIED, USAGE) and name in done.err, (name, done.err)
    for location, name in ((s3, "AWS_ENDPOINT_URL_S3"), (s3, "AWS_ENDPOINT_URL"), (azure, "AZURE_STORAGE_SERVICE_ENDPOINT")):
        done = merge("check", location, env={name: url}, timeout=20)
        assert done.code in (DENIED, USAGE) and "its endpoint" in done.err, (name, done.err)


@pytest.mark.parametrize("odd", ["a\nX-Evil: 1", "a\rb", "a\x01b", "a\x7fb", "ä"])
def test_no_header_is_added(standin, tmp_path, odd):
    """A line feed inside a key or a token, wherever it is from."""
    (tmp_path / "token").write_text(odd + "\n")
    standin.answers["/keys"] = lambda request: (200, json.dumps({**KEYS, "Token": odd}))
    s3, azure, file = "s3://bucket/key", "az://account/container/blob", str(tmp_path / "token")
    keys = {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "SKTEST"}
    local = {"AWS_ENDPOINT_URL_S3": standin.url, "AZURE_STORAGE_SERVICE_ENDPOINT": standin.url}
    uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{standin.url}/keys"}
    for location, env, name in (
            (s3, {**uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file}, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
            (s3, {**uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN": odd}, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            (s3, uri, "the answer of the credentials' server"),
            (s3, {"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "r"}, "AWS_WEB_IDENTITY_TOKEN_FILE"),
            (s3, {**keys, "AWS_SESSION_TOKEN": odd}, "AWS_SESSION_TOKEN"), (s3, {**keys, "AWS_ACCESS_KEY_ID": odd}, "AWS_ACCESS_KEY_ID"),
            (s3, {**keys, "AWS_REGION": odd}, "AWS_REGION"),
            (azure, {"AZURE_FEDERATED_TOKEN_FILE": file, "AZURE_CLIENT_ID": "me", "AZURE_TENANT_ID": "t"}, "AZURE_FEDERATED_TOKEN_FILE"),
            (azure, {"IDENTITY_ENDPOINT": standin.url, "IDENTITY_HEADER": odd}, "IDENTITY_HEADER"),
            (azure, {"AZURE_STORAGE_SAS_TOKEN": odd}, "AZURE_STORAGE_SAS_TOKEN")):
        done = merge("check", location, env={**local, **env}, timeout=20)
        assert done.code in (DENIED, USAGE) and name in done.err and "Evil" not in done.err, (name, done.err)
    done = merge("check", "--endpoint", standin.url, "gs://bucket/key", env={"CLOUDSDK_AUTH_ACCESS_TOKEN": odd}, timeout=20)
    assert done.code == DENIED and "CLOUDSDK_AUTH_ACCESS_TOKEN" in done.err
    assert all(request.path == "/keys" for request in standin.log)


def test_azure_is_known_by_whole_labels():
    """Hosts that look like Azure's are web servers: without credentials, and not to be listed."""
    env = {"AZURE_STORAGE_KEY": stores.KEY, "BLASTMERGE_RETRIES": "0"}
    for host in ("acct.blob.core.evil.invalid", "acct.blob.core.windows.net.evil.invalid", "acct.blob.core.windows.invalid"):
        done = merge("check", f"https://{host}/c/*.gz", env=env, timeout=20)
        assert done.code == USAGE and "a web server" in done.err, done.err


# --- where they do not go ------------------------------------------------------------------------------

def test_no_secret_over_http():
    env = {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "SKTEST"}
    done = merge("--endpoint", "http://198.51.100.1", "s3://bucket/key", env=env)
    assert done.code == DENIED and "https://" in done.err
    sas = "http://account.blob.core.windows.net/c/b?sv=1&sig=SESAME"
    done = merge(sas)
    assert done.code == DENIED and "SESAME" not in done.err


def test_no_secret_to_web_servers(standin, azure, s3):
    """Whatever is in the environment, and wherever a redirection goes."""
    headers = []
    with StandIn() as elsewhere:
        elsewhere.answers["/y"] = lambda request: (headers.append(request.headers), (404, ""))[1]
        standin.answers["/x"] = lambda request: (headers.append(request.headers), (404, ""))[1]
        merge(f"{standin.url}/x", f"{elsewhere.url}/y", env={**azure.env(), **s3.env(), "AZURE_STORAGE_SERVICE_ENDPOINT":
                                                             "https://account.blob.core.windows.net"})
    assert headers and not any("Authorization" in seen for seen in headers)


def test_signed_requests_follow_nobody(children):
    """A redirection of a signed request is an error, and nobody else sees the signature."""
    seen = []
    with StandIn() as thief, StandIn() as server:
        thief.answers["/bucket/key"] = lambda request: (seen.append(1), (200, ""))[1]

        location = {"Location": f"{thief.url}/bucket/key"}
        server.answers["/bucket/key"] = lambda request: (307, "", location)
        env = {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "SKTEST"}
        done = merge("--endpoint", server.url, "s3://bucket/key", env=env)
    assert done.code != OK and not seen
