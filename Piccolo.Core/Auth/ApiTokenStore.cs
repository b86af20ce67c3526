using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Auth;

/// <summary>Bearer tokens for scripts, sealed in the control store. Thread-safe.</summary>
public sealed class ApiTokenStore(SealedStore store, TimeProvider time)
{
    /// <summary>Makes tokens recognisable in a leak scan.</summary>
    public const string Prefix = "piccolo_";
    public const int MaxTokens = 100;

    private static readonly StoreCollection<ApiToken> Tokens = new("api-tokens");

    /// <returns>The token, to be shown once, and its record; null when there are too many already.</returns>
    public (string Token, ApiToken Record)? Create(string name, TokenScope scope, DateTimeOffset? expiresAt)
    {
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        var record = new ApiToken(id, name, scope, Hash(token), time.GetUtcNow(), expiresAt);
        var stored = store.Commit(transaction =>
        {
            if (transaction.List(Tokens).Count >= MaxTokens) return false;
            transaction.Put(Tokens, record.Hash, record);
            return true;
        });
        return stored ? (token, record) : null;
    }

    public ApiToken? Find(string token)
    {
        if (!token.StartsWith(Prefix, StringComparison.Ordinal) || token.Length > 128) return null;
        var record = store.Get(Tokens, Hash(token));
        return record is null || record.ExpiresAt <= time.GetUtcNow() ? null : record;
    }

    public IReadOnlyList<ApiToken> List() => [.. store.List(Tokens).OrderBy(t => t.CreatedAt)];

    public bool Revoke(string id) => store.Commit(transaction =>
        transaction.List(Tokens).FirstOrDefault(t => t.Id == id) is { } token && transaction.Delete(Tokens, token.Hash));

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
