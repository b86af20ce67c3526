using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Net.Security;

namespace Piccolo.Api.Ingress;

/// <summary>
/// The runtime keeps one OpenSSL context per certificate for as long as the process lives, with the private key in it, and offers no way to let go of one.
/// After a lock this does, by the runtime's own parts; a test fails when a new runtime has others.
/// </summary>
internal static class TlsContextCache
{
    private const BindingFlags Hidden = BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.FlattenHierarchy;

    private static readonly object? Cache = typeof(SslStream).Assembly.GetType("Interop+OpenSsl")?.GetField("s_sslContexts", Hidden)?.GetValue(null);
    private static readonly IDictionary? Contexts = Cache?.GetType().BaseType?.GetField("_cache", Hidden)?.GetValue(Cache) as IDictionary;

    /// <summary>Connections that are open keep theirs until they close.</summary>
    /// <returns>How many were let go of; null when this runtime keeps them elsewhere.</returns>
    public static int? DropServers()
    {
        if (Contexts is null) return null;
        var dropped = 0;
        foreach (var key in Contexts.Keys.Cast<object>().ToList())
        {
            if (key.GetType().GetField("IsClient", Hidden)?.GetValue(key) is not false || Contexts[key] is not SafeHandle context) continue;
            Contexts.Remove(key);
            context.Dispose();
            dropped++;
        }
        return dropped;
    }
}
