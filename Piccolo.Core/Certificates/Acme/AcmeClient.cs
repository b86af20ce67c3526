using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>
/// Orders, authorizations and certificates (RFC 8555, 7.4 to 7.6): typed calls whose answers were checked for shape, so that a caller never sees a state
/// without what belongs to it. Thread-safe.
/// </summary>
internal sealed class AcmeClient(AcmeChannel channel, TimeProvider time)
{
    private const string PemChain = "application/pem-certificate-chain";

    /// <summary>How many alternate chains are looked at for the preferred root.</summary>
    private const int MaxAlternates = 4;

    public Uri DirectoryUrl => channel.DirectoryUrl;

    /// <param name="replaces">The certificate that this one takes the place of (RFC 9773, 5); left out where the CA gives no renewal information.</param>
    public async Task<AcmeResult<AcmeOrder>> NewOrderAsync(
        AcmeAccount account, IEnumerable<DomainName> names, string? profile, string? replaces, CancellationToken cancellationToken)
    {
        var directory = await channel.DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        if (profile is not null && !directory.Value.Profiles.Contains(profile))
        {
            var offered = directory.Value.Profiles.IsEmpty ? "none" : string.Join(", ", directory.Value.Profiles);
            return new AcmeFailure(AcmeFailureClass.RefusedRequest, "unknown_profile", $"The CA does not offer the profile '{profile}'; it offers {offered}.");
        }
        var wanted = names.Select(n => n.Value).ToImmutableSortedSet(StringComparer.Ordinal);
        var message = new NewOrderMessage(
            [.. wanted.Select(n => new IdentifierMessage(IdentifierMessage.Dns, n))], profile, directory.Value.RenewalInfo is null ? null : replaces);
        var answer = await channel.WithDirectoryAsync(
            d => channel.PostAsync(d, account, d.NewOrder, AcmeJson.Write(message), cancellationToken), cancellationToken);
        if (answer.Failure is { } failure) return failure;
        if (!AcmeDirectory.IsSecure(answer.Value.Location)) return AcmeFailure.Bad("bad_url", "The CA accepted the order but does not say where it is.");
        var order = AcmeShapes.Order(AcmeChannel.Read<OrderMessage>(answer.Value), answer.Value.Location!, answer.Value.RetryAfter);
        return order.Failure is null && !order.Value.Names.SetEquals(wanted)
            ? AcmeFailure.Bad("wrong_names", "The CA made an order for other names than those asked for.")
            : order;
    }

    public async Task<AcmeResult<AcmeOrder>> OrderAsync(AcmeAccount account, Uri url, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, url, null, cancellationToken);
        return answer.Failure is { } failure ? failure : AcmeShapes.Order(AcmeChannel.Read<OrderMessage>(answer.Value), url, answer.Value.RetryAfter);
    }

    public async Task<AcmeResult<AcmeAuthorization>> AuthorizationAsync(AcmeAccount account, Uri url, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, url, null, cancellationToken);
        return answer.Failure is { } failure
            ? failure
            : AcmeShapes.Authorization(AcmeChannel.Read<AuthorizationMessage>(answer.Value), answer.Value.RetryAfter);
    }

    /// <summary>Tells the CA that the answer to a challenge is in its place (RFC 8555, 7.5.1).</summary>
    public async Task<AcmeFailure?> RespondAsync(AcmeAccount account, AcmeChallenge challenge, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, challenge.Url, AcmeJson.Write(new EmptyMessage()), cancellationToken);
        return answer.Failure;
    }

    public async Task<AcmeResult<AcmeOrder>> FinalizeAsync(AcmeAccount account, AcmeOrder order, byte[] csr, CancellationToken cancellationToken)
    {
        var message = new FinalizeMessage(Base64Url.EncodeToString(csr));
        var answer = await channel.PostAsync(account, order.Finalize, AcmeJson.Write(message), cancellationToken);
        return answer.Failure is { } failure ? failure : AcmeShapes.Order(AcmeChannel.Read<OrderMessage>(answer.Value), order.Url, answer.Value.RetryAfter);
    }

    /// <summary>The issued chain as PEM, unchecked, and where its alternates are (RFC 8555, 7.4.2).</summary>
    public async Task<AcmeResult<(string Pem, ImmutableArray<Uri> Alternates)>> DownloadAsync(
        AcmeAccount account, Uri certificate, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, certificate, null, cancellationToken, PemChain);
        if (answer.Failure is { } failure) return failure;
        return answer.Value.MediaType == PemChain
            ? (Encoding.ASCII.GetString(answer.Value.Body), [.. answer.Value.Alternates.Where(AcmeDirectory.IsSecure).Take(MaxAlternates)])
            : AcmeFailure.Bad("bad_content_type", "The CA sent something else than a PEM chain for the certificate.");
    }

    /// <summary>Asks the CA to revoke a certificate, by the account that ordered it (RFC 8555, 7.6). Revoked already counts as done.</summary>
    /// <param name="reason">RFC 5280, 5.3.1.</param>
    public async Task<AcmeFailure?> RevokeAsync(AcmeAccount account, byte[] certificateDer, int reason, CancellationToken cancellationToken)
    {
        var directory = await channel.DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        if (directory.Value.RevokeCert is not { } url)
            return new AcmeFailure(AcmeFailureClass.RefusedRequest, "no_revocation", "The CA does not take revocations.");
        var message = new RevokeMessage(Base64Url.EncodeToString(certificateDer), reason);
        var failure = (await channel.PostAsync(account, url, AcmeJson.Write(message), cancellationToken)).Failure;
        return failure?.Problem?.Type == AcmeErrors.AlreadyRevoked ? null : failure;
    }

    /// <summary>Asks again until the authorization is no longer pending; bounded by the caller's token and <see cref="AcmePolling.MaxPolls"/>.</summary>
    public Task<AcmeResult<AcmeAuthorization>> SettleAsync(AcmeAccount account, Uri authorization, CancellationToken cancellationToken) => PollAsync(
        () => AuthorizationAsync(account, authorization, cancellationToken), a => a.Status != AcmeStatus.Pending, a => a.RetryAfter, null, cancellationToken);

    /// <summary>Asks again until the order is in none of <paramref name="passing"/>.</summary>
    public Task<AcmeResult<AcmeOrder>> SettleAsync(AcmeAccount account, AcmeOrder order, AcmeStatus[] passing, CancellationToken cancellationToken) =>
        passing.Contains(order.Status)
            ? PollAsync(
                () => OrderAsync(account, order.Url, cancellationToken), o => !passing.Contains(o.Status), o => o.RetryAfter, order.RetryAfter,
                cancellationToken)
            : Task.FromResult<AcmeResult<AcmeOrder>>(order);

    private async Task<AcmeResult<T>> PollAsync<T>(
        Func<Task<AcmeResult<T>>> read, Func<T, bool> isSettled, Func<T, TimeSpan?> retryAfter, TimeSpan? firstAsked, CancellationToken cancellationToken)
    {
        var asked = firstAsked;
        for (var poll = 0; poll < AcmePolling.MaxPolls; poll++)
        {
            await Task.Delay(AcmePolling.DelayBefore(poll, asked), time, cancellationToken);
            var result = await read();
            if (result.Failure is not null || isSettled(result.Value)) return result;
            asked = retryAfter(result.Value);
        }
        return new AcmeFailure(AcmeFailureClass.CaUnavailable, "not_finished", $"The CA did not finish after {AcmePolling.MaxPolls} polls.");
    }
}
