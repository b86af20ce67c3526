using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>
/// Which TLS versions and cipher suites this process speaks. OpenSSL reads them from its configuration: a <c>CipherSuitesPolicy</c> in code would cost every
/// connection its resumption and its cached context (ADR 0013).
/// </summary>
internal static class TlsSettings
{
    /// <summary>OpenSSL's own variable: who sets it has other wishes, and gets them.</summary>
    public const string ConfigurationVariable = "OPENSSL_CONF";

    /// <summary>To be called before anything of cryptography is used, for OpenSSL reads its configuration once.</summary>
    public static void Apply()
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Ingress", "openssl.cnf");
        // OpenSSL would go on without a word, and with weaker suites.
        if (!File.Exists(file)) throw new FileNotFoundException("The TLS settings are missing from the installation.", file);
        NativeEnvironment.SetDefault(ConfigurationVariable, file);
    }
}
