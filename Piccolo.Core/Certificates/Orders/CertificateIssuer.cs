using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// One order from its first request to a checked certificate. Keeps nothing: an interrupted order is taken up again from the <see cref="PendingOrder"/>
/// that was handed out when it was placed. Thread-safe.
/// </summary>
internal sealed class CertificateIssuer(
    ImmutableArray<CertificateAuthority> authorities, ChallengeValidation validation, AcmeOptions options, TimeProvider time, Func<double> random,
    ILogger<CertificateIssuer> logger) : ICertificateIssuer
{
    /// <summary>An unfinished order older than this is left behind and a new one made.</summary>
    public static readonly TimeSpan MaxOrderAge = TimeSpan.FromHours(1);

    /// <summary>From here on a difference between the CA's clock and ours explains dates that do not fit.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    /// <summary>How many of the account's open orders are looked at for one that an interruption made us forget.</summary>
    private const int MaxOrdersSearched = 10;

    /// <summary>Superseded (RFC 5280, 5.3.1).</summary>
    private const int Superseded = 4;

    public ImmutableArray<Uri> Directories { get; } = [.. authorities.Select(a => a.DirectoryUrl)];

    public async Task<AcmeResult<CertificateRecord>> IssueAsync(OrderTicket ticket, CancellationToken cancellationToken)
    {
        using var span = Traces.Source.StartActivity("acme order")?.SetTag("names", string.Join(' ', ticket.Wanted.Names));
        var authority = authorities[ticket.Authority];
        using var clock = new CancellationTokenSource(options.OrderTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        try
        {
            var result = await RunAsync(authority, ticket, limit.Token);
            if (result.Failure is { } failure)
            {
                span?.SetStatus(ActivityStatusCode.Error, failure.Code);
                authority.Channel.ForgetDirectory();
            }
            return result;
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new AcmeFailure(
                AcmeFailureClass.CaUnavailable, "order_timeout", $"The CA did not finish the order within {options.OrderTimeout.TotalSeconds:0} s.");
        }
    }

    public async Task<AcmeResult<RenewalHint?>> HintAsync(Uri directory, string certificateId, CancellationToken cancellationToken) =>
        authorities.FirstOrDefault(a => a.DirectoryUrl == directory) is { } authority
            ? await authority.RenewalInfo.AskAsync(certificateId, cancellationToken)
            : (RenewalHint?)null;

    public async Task<AcmeFailure?> RevokeAsync(Uri directory, byte[] certificateDer, CancellationToken cancellationToken)
    {
        if (authorities.FirstOrDefault(a => a.DirectoryUrl == directory) is not { } authority)
            return new AcmeFailure(AcmeFailureClass.RefusedRequest, "other_authority", "The certificate is of a CA that is no longer configured.");
        var got = await authority.Accounts.GetAsync(gone: null, cancellationToken);
        if (got.Failure is { } none) return none;
        using var account = got.Value;
        return await authority.Client.RevokeAsync(account, certificateDer, Superseded, cancellationToken);
    }

    /// <summary>Whether an order that ended so is worth taking up again: the fault lay between us and the CA, not in the order.</summary>
    public static bool KeepsOrder(AcmeFailure failure) =>
        failure.Class is AcmeFailureClass.Network or AcmeFailureClass.CaUnavailable or AcmeFailureClass.RateLimited
            or AcmeFailureClass.Internal or AcmeFailureClass.Clock;

    /// <summary>
    /// Whether the same order may succeed without naming the certificate that it replaces. Each CA refuses a certificate that it no longer knows, that another
    /// account ordered or that was replaced already with a problem of its own choice; only answers that say something else are excluded.
    /// </summary>
    private static bool MayBeCausedByReplaces(AcmeFailure refused) =>
        refused.Problem is { Type: not (AcmeErrors.AccountDoesNotExist or AcmeErrors.BadNonce or "userActionRequired" or "externalAccountRequired") }
        && refused.Class is not (AcmeFailureClass.RateLimited or AcmeFailureClass.RejectedName);

    private async Task<AcmeResult<CertificateRecord>> RunAsync(CertificateAuthority authority, OrderTicket ticket, CancellationToken cancellationToken)
    {
        var got = await authority.Accounts.GetAsync(gone: null, cancellationToken);
        if (got.Failure is { } noAccount) return noAccount;
        var account = got.Value;
        try
        {
            await ticket.Step(OrderStep.AccountReady);
            var opened = await OpenAsync(authority, account, ticket, cancellationToken);
            var isDead = opened.Failure?.Problem?.Type == AcmeErrors.Unauthorized
                && await authority.Accounts.Client.IsDeactivatedAsync(account, cancellationToken);
            if (isDead || opened.Failure?.Problem?.Type == AcmeErrors.AccountDoesNotExist)
            {
                var again = isDead
                    ? await authority.Accounts.ReplaceAsync(account.Url, cancellationToken)
                    : await authority.Accounts.GetAsync(account.Url, cancellationToken);
                if (again.Failure is { } gone) return gone;
                account.Dispose();
                account = again.Value;
                opened = await OpenAsync(authority, account, ticket with { Resume = null, MaybePlaced = false }, cancellationToken);
            }
            return opened.Failure is { } failure
                ? failure
                : await DriveAsync(authority, account, ticket, opened.Value.Order, opened.Value.Pending, cancellationToken);
        }
        finally
        {
            account.Dispose();
        }
    }

    private async Task<AcmeResult<(AcmeOrder Order, PendingOrder Pending)>> OpenAsync(
        CertificateAuthority authority, AcmeAccount account, OrderTicket ticket, CancellationToken cancellationToken)
    {
        if (CanResume(ticket.Resume, ticket, authority))
        {
            var resume = ticket.Resume!;
            var known = await authority.Client.OrderAsync(account, resume.Url, cancellationToken);
            if (known.Failure is { } lost && (KeepsOrder(lost) || lost.Problem?.Type == AcmeErrors.AccountDoesNotExist)) return lost;
            if (known.Failure is null && known.Value.Status != AcmeStatus.Invalid && known.Value.Names.SetEquals(resume.Names)) return (known.Value, resume);
            ticket.Ledger.Placed(null);
        }
        using var key = LeafKey.Create(options.KeyType);
        var order = ticket.MaybePlaced ? await SearchAsync(authority, account, ticket, cancellationToken) : null;
        if (order is null)
        {
            ticket.Ledger.Placing();
            var made = await authority.Client.NewOrderAsync(account, ticket.Wanted.Names, ticket.Profile, ticket.Replaces, cancellationToken);
            if (ticket.Replaces is not null && made.Failure is { } refused && MayBeCausedByReplaces(refused))
            {
                logger.OrderedWithoutReplaces(ticket.Wanted.Id, refused.Code, refused.Detail);
                made = await authority.Client.NewOrderAsync(account, ticket.Wanted.Names, ticket.Profile, replaces: null, cancellationToken);
                if (made.Failure is null) ticket.Ledger.WithoutReplaces();
            }
            if (made.Failure is { } failure) return failure;
            order = made.Value;
        }
        await ticket.Step(OrderStep.Ordered);
        var pending = new PendingOrder(order.Url, authority.DirectoryUrl, [.. order.Names], key.Export(), time.GetUtcNow()) { Profile = ticket.Profile };
        ticket.Ledger.Placed(pending);
        await ticket.Step(OrderStep.Placed);
        return (order, pending);
    }

    /// <summary>An order for these very names that the CA has and our ledger does not: only one whose key is not chosen yet is of use.</summary>
    private async Task<AcmeOrder?> SearchAsync(CertificateAuthority authority, AcmeAccount account, OrderTicket ticket, CancellationToken cancellationToken)
    {
        var listed = await authority.Accounts.Client.OrdersAsync(account, cancellationToken);
        if (listed.Failure is not null) return null;
        foreach (var url in listed.Value.Reverse().Take(MaxOrdersSearched))
        {
            var order = await authority.Client.OrderAsync(account, url, cancellationToken);
            if (order.Failure is not null || order.Value.Status is not (AcmeStatus.Pending or AcmeStatus.Ready)) continue;
            if (!order.Value.Names.SetEquals(ticket.Wanted.Names.Select(n => n.Value).ToImmutableHashSet(StringComparer.Ordinal))) continue;
            // One of another profile would be finished as something else than what is wanted.
            if (ticket.Profile is not null && order.Value.Profile != ticket.Profile) continue;
            logger.OrderFound(ticket.Wanted.Id);
            return order.Value;
        }
        return null;
    }

    private async Task<AcmeResult<CertificateRecord>> DriveAsync(
        CertificateAuthority authority, AcmeAccount account, OrderTicket ticket, AcmeOrder order, PendingOrder pending, CancellationToken cancellationToken)
    {
        using var key = LeafKey.Import(pending.KeyPkcs8);
        var needsValidation = order.Status == AcmeStatus.Pending;
        if (needsValidation && await validation.RunAsync(authority.Client, account, order, ticket.Challenge, ticket.Step, cancellationToken) is { } invalid)
            return invalid;
        await ticket.Step(OrderStep.Validated);
        var finished = await OrderFinish.RunAsync(authority.Client, account, order, key, cancellationToken);
        if (finished.Failure is { } failure) return failure;
        ticket.Ledger.Issued();
        await ticket.Step(OrderStep.Finalized);
        var chain = await ChainDownload.RunAsync(
            authority.Client, account, finished.Value.Certificate!, options.PreferredRoot, key, pending.Names, time.GetUtcNow(), cancellationToken);
        if (chain.Failure is { } refused) return AsClockFailure(refused, authority);
        await ticket.Step(OrderStep.Downloaded);
        return new CertificateRecord(ticket.Wanted.Id, pending.Names, pending.KeyPkcs8, chain.Value, time.GetUtcNow(), authority.DirectoryUrl, random())
        {
            Profile = pending.Profile,
            Challenge = needsValidation ? ticket.Challenge : null,
        };
    }

    private static AcmeFailure AsClockFailure(AcmeFailure refused, CertificateAuthority authority) =>
        refused.Code == "bad_dates" && authority.Channel.ServerAhead is { } ahead && ahead.Duration() > ClockTolerance
            ? refused with
            {
                Class = AcmeFailureClass.Clock,
                Code = "clock_wrong",
                Detail = $"{refused.Detail} The CA's clock is {ahead.TotalHours:0.0} hours ahead of this device's.",
            }
            : refused;

    private bool CanResume(PendingOrder? order, OrderTicket ticket, CertificateAuthority authority) =>
        order is not null && order.Directory == authority.DirectoryUrl && order.Profile == ticket.Profile && time.GetUtcNow() - order.PlacedAt < MaxOrderAge
        && ticket.Wanted.Names.Select((DomainName n) => n.Value).ToImmutableSortedSet(StringComparer.Ordinal).SetEquals(order.Names);
}
