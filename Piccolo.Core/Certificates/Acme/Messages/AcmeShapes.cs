using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>
/// From messages to checked values: states that exist, addresses that are https, and each state with what belongs to it (RFC 8555, 7.1). Pure.
/// </summary>
internal static class AcmeShapes
{
    private const int MaxNames = 100;
    private const int MaxChallenges = 20;

    /// <summary>What the challenge's answer is given for: a longer one would be taken here and never found there. Real tokens have 43.</summary>
    public const int MaxTokenLength = 128;

    public static AcmeResult<AcmeOrder> Order(AcmeResult<OrderMessage> read, Uri url, TimeSpan? retryAfter)
    {
        if (read.Failure is { } failure) return failure;
        var message = read.Value;
        if (Status(message.Status) is not { } status) return Bad("bad_order", "an order of unknown state");
        if (!AcmeDirectory.IsSecure(message.Finalize)) return Bad("bad_order", "an order without a finalize address");
        if (message.Identifiers is not { Count: > 0 and <= MaxNames } || message.Authorizations is not { Count: > 0 and <= MaxNames })
            return Bad("bad_order", "an order without names or authorizations");
        if (message.Identifiers.Any(i => i is not { Type: IdentifierMessage.Dns, Value: not null }))
            return Bad("bad_order", "an order with an identifier that is not a DNS name");
        if (!message.Authorizations.All(AcmeDirectory.IsSecure)) return Bad("bad_url", "an order with an address that is not https");
        if (status == AcmeStatus.Valid && !AcmeDirectory.IsSecure(message.Certificate)) return Bad("bad_order", "a valid order without a certificate address");
        return new AcmeOrder(
            url, status, message.Identifiers.Select(i => i!.Value!.ToLowerInvariant()).ToImmutableSortedSet(StringComparer.Ordinal),
            [.. message.Authorizations.Select(a => a!)], message.Finalize!, message.Certificate,
            message.Error is null ? null : AcmeProblem.From(message.Error))
        { RetryAfter = retryAfter, Profile = message.Profile };
    }

    public static AcmeResult<AcmeAuthorization> Authorization(AcmeResult<AuthorizationMessage> read, TimeSpan? retryAfter)
    {
        if (read.Failure is { } failure) return failure;
        var message = read.Value;
        if (Status(message.Status) is not { } status) return Bad("bad_authorization", "an authorization of unknown state");
        if (message.Wildcard || message.Identifier is not { Type: IdentifierMessage.Dns } || !DomainName.TryParse(message.Identifier.Value, out var name))
            return Bad("bad_authorization", "an authorization without a host name");
        if (message.Challenges is not { Count: <= MaxChallenges }) return Bad("bad_authorization", "an authorization without challenges");
        var challenges = ImmutableArray.CreateBuilder<AcmeChallenge>();
        foreach (var challenge in message.Challenges)
        {
            // Challenges of kinds that we do not know may lack anything; ours must be whole.
            if (challenge?.Type is not { } type || Status(challenge.Status) is not { } state) continue;
            if (!AcmeDirectory.IsSecure(challenge.Url) || !IsToken(challenge.Token))
            {
                if (type is AcmeChallenge.TypeHttp01 or AcmeChallenge.TypeTlsAlpn01)
                    return Bad("bad_challenge", "a challenge without a usable token or address");
                continue;
            }
            challenges.Add(
                new AcmeChallenge(type, challenge.Url!, state, challenge.Token!, challenge.Error is null ? null : AcmeProblem.From(challenge.Error)));
        }
        return new AcmeAuthorization(status, name, challenges.ToImmutable()) { RetryAfter = retryAfter };
    }

    /// <summary>RFC 8555, 8.3: the token becomes part of a path, so it must be base64url and nothing else.</summary>
    private static bool IsToken(string? token) =>
        token is { Length: > 0 and <= MaxTokenLength } && token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static AcmeStatus? Status(string? text) => text switch
    {
        "pending" => AcmeStatus.Pending,
        "ready" => AcmeStatus.Ready,
        "processing" => AcmeStatus.Processing,
        "valid" => AcmeStatus.Valid,
        "invalid" => AcmeStatus.Invalid,
        "deactivated" => AcmeStatus.Deactivated,
        "expired" => AcmeStatus.Expired,
        "revoked" => AcmeStatus.Revoked,
        _ => null,
    };

    private static AcmeFailure Bad(string code, string what) => AcmeFailure.Bad(code, $"The CA sent {what}.");
}
