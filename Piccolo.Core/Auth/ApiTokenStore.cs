using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Auth;

/// <summary>
/// Bearer tokens for scripts, sealed in the control store. Each belongs to the key set's token epoch: raising that ends them all in the very step that
/// changes the password, also while the store is locked or its disk takes no writes. One that was made without the password ends with the session or the
/// token that made it. Thread-safe.
/// </summary>
public sealed class ApiTokenStore(SealedStore store, ApplianceVault vault, SessionTable sessions, TimeProvider time)
{
    /// <summary>Makes tokens recognisable in a leak scan.</summary>
    public const string Prefix = "piccolo_";
    public const int MaxTokens = 100;

    /// <summary>How exactly the last use is known: each token costs at most one write in this time.</summary>
    public static readonly TimeSpan UseResolution = TimeSpan.FromHours(1);

    private const string EpochKey = "highest";
    private static readonly StoreCollection<ApiToken> Tokens = new("api-tokens") { IsQuiet = true };
    private static readonly StoreCollection<TokenEpoch> Epochs = new("token-epoch") { IsQuiet = true };

    // When a last use was written, or failed to be; bounded by the tokens that exist.
    private readonly ConcurrentDictionary<string, DateTimeOffset> _noted = new(StringComparer.Ordinal);

    /// <param name="session">See <see cref="ApiToken.Session"/>.</param>
    /// <param name="parent">See <see cref="ApiToken.Parent"/>.</param>
    /// <returns>The token, to be shown once, and its record; null when there are too many already.</returns>
    public (string Token, ApiToken Record)? Create(string name, TokenScope scope, DateTimeOffset? expiresAt, string? session = null, string? parent = null)
    {
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        var record = new ApiToken(id, name, scope, Hash(token), time.GetUtcNow(), expiresAt, CurrentEpoch, Session: session, Parent: parent);
        var epoch = record.Epoch;
        var stored = store.Commit(transaction =>
        {
            var held = transaction.List(Tokens).ToLookup(t => IsInForce(t, epoch));
            foreach (var dead in held[false]) transaction.Delete(Tokens, dead.Hash);
            if (held[true].Count() >= MaxTokens) return false;
            transaction.Put(Tokens, record.Hash, record);
            return true;
        });
        return stored ? (token, record) : null;
    }

    /// <summary>Finds a token that is in force and notes its use.</summary>
    public ApiToken? Find(string token)
    {
        if (!token.StartsWith(Prefix, StringComparison.Ordinal) || token.Length > 128) return null;
        var record = store.Get(Tokens, Hash(token));
        if (record is null || !IsInForce(record, CurrentEpoch) || record.ExpiresAt <= time.GetUtcNow()) return null;
        NoteUse(record);
        return record;
    }

    public IReadOnlyList<ApiToken> List()
    {
        var epoch = CurrentEpoch;
        return [.. store.List(Tokens).Where(t => IsInForce(t, epoch)).OrderBy(t => t.CreatedAt)];
    }

    /// <summary>Revokes a token and all that it made.</summary>
    public bool Revoke(string id)
    {
        var epoch = CurrentEpoch;
        var revoked = store.Commit(transaction =>
        {
            var held = transaction.List(Tokens).Where(t => IsInForce(t, epoch)).ToList();
            var family = held.Where(t => t.Id == id).ToList();
            // It grows while it is walked: whoever was made by one of it belongs to it.
            for (var i = 0; i < family.Count; i++) family.AddRange(held.Where(t => t.Parent == family[i].Id));
            foreach (var token in family) transaction.Delete(Tokens, token.Hash);
            return family;
        });
        foreach (var token in revoked) _noted.TryRemove(token.Hash, out _);
        return revoked.Count > 0;
    }

    /// <summary>Seals the highest epoch that there ever was beside the tokens, and holds the key set to it: the file itself is not sealed.</summary>
    internal async Task KeepEpochAsync(CancellationToken cancellationToken)
    {
        if (!store.IsOpen) return;
        await vault.RequireTokenEpochAsync(SealedEpoch, cancellationToken);
        var epoch = vault.Keys.TokenEpoch;
        if (epoch > SealedEpoch) store.Commit(transaction => transaction.Put(Epochs, EpochKey, new TokenEpoch(epoch)));
    }

    private long SealedEpoch => store.Get(Epochs, EpochKey)?.Epoch ?? 0;

    private long CurrentEpoch => Math.Max(vault.Keys.TokenEpoch, SealedEpoch);

    private bool IsInForce(ApiToken token, long epoch) => token.Epoch == epoch && (token.Session is null || sessions.IsInForce(token.Session));

    private void NoteUse(ApiToken token)
    {
        var now = time.GetUtcNow();
        if (now - (_noted.TryGetValue(token.Hash, out var noted) ? noted : token.LastUsedAt ?? DateTimeOffset.MinValue) < UseResolution) return;
        _noted[token.Hash] = now;
        try
        {
            store.Commit(transaction =>
            {
                if (transaction.Get(Tokens, token.Hash) is { } current) transaction.Put(Tokens, token.Hash, current with { LastUsedAt = now });
            });
        }
        catch (StoreFaultException)
        {
            // The fault is latched and shows in health; a read with this token can still be answered.
        }
    }

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
