/** A self-signed certificate for localhost with its key, valid for a hundred years and only for tests. */
export const TLS_FIXTURE: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUTiMSBZXDbwkpkD4IiEvA+4NyWZUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIyMjYzN1oYDzIxMjYxMDI5
MjIyNjM3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATJUeWjJNQz+4N9lslBg+uI960BxH5MTW3g42jULx1RX0PMstNNoYDw
Ce3oCgSw1upfoub8deVZ2gPEVdr4beJfo28wbTAdBgNVHQ4EFgQUUIAGGa45UznR
hXi87S7lt5EamsMwHwYDVR0jBBgwFoAUUIAGGa45UznRhXi87S7lt5EamsMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhANpHWEqPpUg9CnwxqYzQPAhEjt7jmsjiq2EfB/oOt/6SAiEA
xuRvovwkgflkkNumdyjxQkT73LdkgI0JP2VHiqxlP7E=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgozZoC+YcdnJFPLvE
jQgVpqjlIf6DjASZGhcy7mothCKhRANCAATJUeWjJNQz+4N9lslBg+uI960BxH5M
TW3g42jULx1RX0PMstNNoYDwCe3oCgSw1upfoub8deVZ2gPEVdr4beJf
-----END PRIVATE KEY-----`,
};
