using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// The HTTP-01 tokens that are pending right now (RFC 8555, 8.3): answered only for the host that is being validated, gone when the order ends.
/// Thread-safe.
/// </summary>
public sealed class Http01Challenges
{
    public const string PathPrefix = "/.well-known/acme-challenge/";

    private ImmutableDictionary<(string Host, string Token), string> _pending = ImmutableDictionary<(string, string), string>.Empty;

    /// <summary>Presents a token until the result is disposed.</summary>
    public IDisposable Present(DomainName host, string token, string keyAuthorization)
    {
        var key = (host.Value, token);
        ImmutableInterlocked.AddOrUpdate(ref _pending, key, keyAuthorization, (_, _) => keyAuthorization);
        return new Presented(this, key);
    }

    public string? Find(string host, string token) => _pending.GetValueOrDefault((host.ToLowerInvariant(), token));

    private sealed class Presented(Http01Challenges owner, (string, string) key) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.TryRemove(ref owner._pending, key, out _);
    }
}
