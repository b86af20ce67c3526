using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Auth;

/// <summary>A session of the owner's browser.</summary>
/// <param name="Handle">Names it in lists; worth nothing as a cookie.</param>
/// <param name="OriginClass">Where it began; it is worth nothing elsewhere (a cookie stolen on the LAN does not open the tunnel).</param>
public sealed record Session(
    string Handle, string CsrfToken, string OriginClass, SessionClient Client, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>The only place from which it may be used, beside the class (<see cref="SessionPlace"/>); null under a name that no app shares.</summary>
    public string? Place { get; init; }

    /// <summary>When it ends however much it is used.</summary>
    public DateTimeOffset LatestEnd => CreatedAt + SessionTable.Absolute;
}

/// <summary>What was seen of the browser when the session began, for the owner's list.</summary>
public sealed record SessionClient(string? Address, string? UserAgent)
{
    public static readonly SessionClient Unknown = new(null, null);
}

/// <summary>
/// The owner's sessions. They live in memory on purpose: a lock ends them all, and every start begins locked, so there is nothing to keep.
/// Only hashes of ids are held. Thread-safe.
/// </summary>
public sealed class SessionTable(TimeProvider time)
{
    public static readonly TimeSpan Sliding = TimeSpan.FromHours(1);
    public static readonly TimeSpan Absolute = TimeSpan.FromHours(24);
    public const int MaxSessions = 256;

    private readonly ConcurrentDictionary<string, Session> _byHash = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _epoch;

    /// <summary>Grows by one with each <see cref="EndAll"/>. Read it before a password is checked.</summary>
    public long Epoch => Volatile.Read(ref _epoch);

    /// <returns>The id, for the cookie only, and the session.</returns>
    public (string Id, Session Session) Begin(string originClass) => Begin(originClass, SessionClient.Unknown, Epoch);

    /// <param name="epoch">From before the check: a session that a lock or a new password overtook is dead from the start.</param>
    public (string Id, Session Session) Begin(string originClass, SessionClient client, long epoch, string? place = null)
    {
        var id = RandomText(32);
        var now = time.GetUtcNow();
        var session = new Session(RandomText(9), RandomText(16), originClass, client, now, now, now + Sliding) { Place = place };
        lock (_gate)
        {
            DropExpired(now);
            if (epoch == _epoch) _byHash[Hash(id)] = session;
        }
        return (id, session);
    }

    /// <summary>Finds a session that is still good and moves its end, at most to a day after it began.</summary>
    public Session? Use(string id, string originClass, string? place = null)
    {
        var hash = Hash(id);
        if (!_byHash.TryGetValue(hash, out var session) || session.OriginClass != originClass || session.Place != place) return null;
        var now = time.GetUtcNow();
        if (session.ExpiresAt <= now)
        {
            _byHash.TryRemove(hash, out _);
            return null;
        }
        var renewed = session with { LastUsedAt = now, ExpiresAt = now + Sliding < session.LatestEnd ? now + Sliding : session.LatestEnd };
        _byHash.TryUpdate(hash, renewed, session);
        return renewed;
    }

    /// <summary>Those in force, the newest first.</summary>
    public IReadOnlyList<Session> List()
    {
        var now = time.GetUtcNow();
        return [.. _byHash.Values.Where(s => s.ExpiresAt > now).OrderByDescending(s => s.CreatedAt)];
    }

    /// <summary>Whether the session with this handle is still good.</summary>
    public bool IsInForce(string handle)
    {
        var now = time.GetUtcNow();
        return _byHash.Values.Any(s => s.Handle == handle && s.ExpiresAt > now);
    }

    public void End(string id) => _byHash.TryRemove(Hash(id), out _);

    /// <returns>Whether there was such a session.</returns>
    public bool EndByHandle(string handle)
    {
        var found = false;
        foreach (var (hash, session) in _byHash)
            if (session.Handle == handle) found |= _byHash.TryRemove(hash, out _);
        return found;
    }

    /// <summary>Ends all but one.</summary>
    public void EndOthers(string? handle)
    {
        foreach (var (hash, session) in _byHash)
            if (session.Handle != handle) _byHash.TryRemove(hash, out _);
    }

    public void EndAll()
    {
        lock (_gate)
        {
            _epoch++;
            _byHash.Clear();
        }
    }

    private void DropExpired(DateTimeOffset now)
    {
        foreach (var (hash, session) in _byHash)
            if (session.ExpiresAt <= now) _byHash.TryRemove(hash, out _);
        while (_byHash.Count >= MaxSessions) _byHash.TryRemove(_byHash.MinBy(s => s.Value.ExpiresAt).Key, out _);
    }

    private static string Hash(string id) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static string RandomText(int bytes) => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
