using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// One order from its first request to a checked certificate. Keeps nothing: an interrupted order is taken up again from the <see cref="PendingOrder"/>
/// that was handed out when it was placed.
/// </summary>
internal sealed class CertificateIssuer(
    AcmeClient client, AcmeAccounts accounts, Http01Validation validation, AcmeOptions options, TimeProvider time, Func<double> random)
{
    /// <summary>An unfinished order older than this is left behind and a new one made.</summary>
    public static readonly TimeSpan MaxOrderAge = TimeSpan.FromHours(1);

    public Uri Directory => client.DirectoryUrl;

    /// <param name="resume">The order of an earlier attempt, if any.</param>
    /// <param name="placed">Called as soon as the CA knows of an order, before anything else happens with it.</param>
    public async Task<AcmeResult<CertificateRecord>> IssueAsync(
        WantedCertificate wanted, PendingOrder? resume, Action<PendingOrder?> placed, CancellationToken cancellationToken)
    {
        using var span = Traces.Source.StartActivity("acme order")?.SetTag("names", string.Join(' ', wanted.Names));
        using var clock = new CancellationTokenSource(options.OrderTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        try
        {
            var result = await RunAsync(wanted, CanResume(resume, wanted) ? resume : null, placed, limit.Token);
            if (result.Failure is { } failure)
            {
                span?.SetStatus(ActivityStatusCode.Error, failure.Code);
                client.ForgetDirectory();
            }
            return result;
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new AcmeFailure(AcmeFailureClass.CaUnavailable, "order_timeout", $"The CA did not finish the order within {options.OrderTimeout.TotalSeconds:0} s.");
        }
    }

    /// <summary>Whether an order that ended so is worth taking up again: the fault lay between us and the CA, not in the order.</summary>
    public static bool KeepsOrder(AcmeFailure failure) =>
        failure.Class is AcmeFailureClass.Network or AcmeFailureClass.CaUnavailable or AcmeFailureClass.RateLimited or AcmeFailureClass.Internal;

    private async Task<AcmeResult<CertificateRecord>> RunAsync(
        WantedCertificate wanted, PendingOrder? resume, Action<PendingOrder?> placed, CancellationToken cancellationToken)
    {
        var got = await accounts.GetAsync(gone: null, cancellationToken);
        if (got.Failure is { } noAccount) return noAccount;
        var account = got.Value;
        try
        {
            var opened = await OpenAsync(account, wanted, resume, placed, cancellationToken);
            if (opened.Failure?.Problem?.Type == AcmeErrors.AccountDoesNotExist)
            {
                var again = await accounts.GetAsync(account.Url, cancellationToken);
                if (again.Failure is { } gone) return gone;
                account.Dispose();
                account = again.Value;
                opened = await OpenAsync(account, wanted, resume: null, placed, cancellationToken);
            }
            return opened.Failure is { } failure ? failure : await DriveAsync(account, wanted, opened.Value.Order, opened.Value.Pending, cancellationToken);
        }
        finally
        {
            account.Dispose();
        }
    }

    private async Task<AcmeResult<(AcmeOrder Order, PendingOrder Pending)>> OpenAsync(
        AcmeAccount account, WantedCertificate wanted, PendingOrder? resume, Action<PendingOrder?> placed, CancellationToken cancellationToken)
    {
        if (resume is not null)
        {
            var known = await client.OrderAsync(account, resume.Url, cancellationToken);
            if (known.Failure is { } lost && (KeepsOrder(lost) || lost.Problem?.Type == AcmeErrors.AccountDoesNotExist)) return lost;
            if (known.Failure is null && known.Value.Status != AcmeStatus.Invalid && known.Value.Names.SetEquals(resume.Names)) return (known.Value, resume);
            placed(null);
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var order = await client.NewOrderAsync(account, wanted.Names, cancellationToken);
        if (order.Failure is { } failure) return failure;
        var pending = new PendingOrder(order.Value.Url, client.DirectoryUrl, [.. order.Value.Names], key.ExportPkcs8PrivateKey(), time.GetUtcNow());
        placed(pending);
        return (order.Value, pending);
    }

    private async Task<AcmeResult<CertificateRecord>> DriveAsync(
        AcmeAccount account, WantedCertificate wanted, AcmeOrder order, PendingOrder pending, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pending.KeyPkcs8, out _);
        if (order.Status == AcmeStatus.Pending && await validation.RunAsync(account, order, cancellationToken) is { } unproven) return unproven;
        var finished = await FinishAsync(account, order, key, cancellationToken);
        if (finished.Failure is { } failure) return failure;
        var chain = await client.DownloadAsync(account, finished.Value.Certificate!, cancellationToken);
        if (chain.Failure is { } missing) return missing;
        var check = ChainCheck.Check(chain.Value, key, pending.Names, time.GetUtcNow());
        return check.Failure is { } refused
            ? refused
            : new CertificateRecord(wanted.Id, pending.Names, pending.KeyPkcs8, chain.Value, time.GetUtcNow(), client.DirectoryUrl, random());
    }

    /// <summary>From proven names to an order that is valid (RFC 8555, 7.4).</summary>
    private async Task<AcmeResult<AcmeOrder>> FinishAsync(AcmeAccount account, AcmeOrder order, ECDsa key, CancellationToken cancellationToken)
    {
        if (order.Status is AcmeStatus.Pending or AcmeStatus.Ready)
        {
            var csr = Csr(key, order.Names);
            var sent = await client.FinalizeAsync(account, order, csr, cancellationToken);
            if (sent.Failure?.Problem?.Type == AcmeErrors.OrderNotReady)
            {
                // The authorizations are valid but the order has not noticed yet.
                var ready = await client.SettleAsync(account, order with { Status = AcmeStatus.Pending }, [AcmeStatus.Pending], cancellationToken);
                if (ready.Failure is { } stuck) return stuck;
                sent = ready.Value.Status == AcmeStatus.Ready ? await client.FinalizeAsync(account, order, csr, cancellationToken) : ready;
            }
            if (sent.Failure is { } failure) return failure;
            order = sent.Value;
        }
        var settled = await client.SettleAsync(account, order, [AcmeStatus.Ready, AcmeStatus.Processing], cancellationToken);
        if (settled.Failure is { } unsettled) return unsettled;
        return settled.Value.Status switch
        {
            AcmeStatus.Valid => settled,
            AcmeStatus.Invalid => AcmeErrors.FromOrder(settled.Value.Error),
            _ => AcmeFailure.Bad("bad_order_state", $"The CA's order went back to '{settled.Value.Status}'."),
        };
    }

    private static byte[] Csr(ECDsa key, ImmutableSortedSet<string> names)
    {
        // The subject stays empty: names live in the extension (RFC 8555, 7.4; the common name is deprecated by the CAs).
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        return request.CreateSigningRequest();
    }

    private bool CanResume(PendingOrder? order, WantedCertificate wanted) =>
        order is not null && order.Directory == client.DirectoryUrl && time.GetUtcNow() - order.PlacedAt < MaxOrderAge
        && wanted.Names.Select((DomainName n) => n.Value).ToImmutableSortedSet(StringComparer.Ordinal).SetEquals(order.Names);
}
