namespace Piccolo.Core.Auth;

/// <summary>What a bearer token may do.</summary>
public enum TokenScope
{
    Read,
    Write,
}

/// <summary>A bearer token as it is stored: the token itself is shown once and never kept.</summary>
/// <param name="Hash">Lower-case hex SHA-256 of the token; also the record's key.</param>
/// <param name="Epoch">The key set's at that time; see <see cref="Vault.KeyStatus.TokenEpoch"/>.</param>
/// <param name="LastUsedAt">Within an hour; null when it was never used.</param>
/// <param name="Session">The handle of the session with which it ends; null when it outlives sessions.</param>
/// <param name="Parent">The id of the token that made it, with which it is revoked; null when it was made otherwise.</param>
public sealed record ApiToken(
    string Id, string Name, TokenScope Scope, string Hash, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, long Epoch = 0,
    DateTimeOffset? LastUsedAt = null,
    string? Session = null, string? Parent = null);
