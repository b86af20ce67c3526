using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Auth;

/// <summary>A session of the owner's browser.</summary>
/// <param name="OriginClass">Where it began; it is worth nothing elsewhere (a cookie stolen on the LAN does not open the tunnel).</param>
public sealed record Session(string CsrfToken, string OriginClass, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt);

/// <summary>
/// The owner's sessions. They live in memory on purpose: a lock ends them all, and every start begins locked, so there is nothing to keep.
/// Only hashes of ids are held. Thread-safe.
/// </summary>
public sealed class SessionTable(TimeProvider time)
{
    public static readonly TimeSpan Sliding = TimeSpan.FromHours(1);
    public static readonly TimeSpan Absolute = TimeSpan.FromHours(24);
    private const int MaxSessions = 256;

    private readonly ConcurrentDictionary<string, Session> _byHash = new(StringComparer.Ordinal);

    /// <returns>The id, for the cookie only, and the session.</returns>
    public (string Id, Session Session) Begin(string originClass)
    {
        DropExpired();
        var id = RandomText(32);
        var now = time.GetUtcNow();
        var session = new Session(RandomText(16), originClass, now, now + Sliding);
        _byHash[Hash(id)] = session;
        return (id, session);
    }

    /// <summary>Finds a session that is still good and moves its end, at most to a day after it began.</summary>
    public Session? Use(string id, string originClass)
    {
        var hash = Hash(id);
        if (!_byHash.TryGetValue(hash, out var session) || session.OriginClass != originClass) return null;
        var now = time.GetUtcNow();
        if (session.ExpiresAt <= now)
        {
            _byHash.TryRemove(hash, out _);
            return null;
        }
        var latest = session.CreatedAt + Absolute;
        var renewed = session with { ExpiresAt = now + Sliding < latest ? now + Sliding : latest };
        _byHash.TryUpdate(hash, renewed, session);
        return renewed;
    }

    public void End(string id) => _byHash.TryRemove(Hash(id), out _);

    public void EndAll() => _byHash.Clear();

    private void DropExpired()
    {
        var now = time.GetUtcNow();
        foreach (var (hash, session) in _byHash)
            if (session.ExpiresAt <= now) _byHash.TryRemove(hash, out _);
        while (_byHash.Count >= MaxSessions) _byHash.TryRemove(_byHash.MinBy(s => s.Value.ExpiresAt).Key, out _);
    }

    private static string Hash(string id) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static string RandomText(int bytes) => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
