using System.Text.Json;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Api.Certificates;

/// <summary>A certificate. What concerns its content comes from the leaf that is held and is absent while none is.</summary>
public sealed record CertificateResponse(
    string Id,
    IReadOnlyList<string> Domains,
    string Solver,
    CertificateStatus Status,
    string? Issuer,
    string? Serial,
    string? KeyType,
    string? Profile,
    string? FingerprintSha256,
    DateTimeOffset? IssuedAt,
    DateTimeOffset? NotBefore,
    DateTimeOffset? NotAfter,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? NextRenewal,
    RenewalResponse? Renewal,
    bool Active,
    DateTimeOffset? LastShown,
    DateTimeOffset? LastAttempt,
    DateTimeOffset? NextAttempt,
    string? HeldBackBy,
    int Attempts,
    int Failures,
    DateTimeOffset? FailingSince,
    string? FailureReason,
    CertificateErrorResponse? LastError);

/// <summary>The scheduled time of renewal, and the window it was picked from.</summary>
/// <param name="Source"><c>ari</c>: the certificate authority's suggestion (RFC 9773); <c>lifetime</c>: a share of the lifetime; <c>revocation</c>: it or
/// its issuer was revoked.</param>
public sealed record RenewalResponse(DateTimeOffset At, DateTimeOffset WindowStart, DateTimeOffset WindowEnd, RenewalSource Source, string? Explanation);

public sealed record CertificateErrorResponse(string Class, string Code, string Detail, string? NextStep);

public sealed record CertificatesResponse(IReadOnlyList<CertificateResponse> Certificates);

/// <summary>What the device and the certificate authority said to each other in the last orders, newest first; secrets are masked.</summary>
public sealed record StoryResponse(string Id, IReadOnlyList<OrderStoryResponse> Orders);

/// <param name="Outcome"><c>issued</c>, or the code of the failure.</param>
public sealed record OrderStoryResponse(
    DateTimeOffset Began, DateTimeOffset Ended, string Directory, bool Resumed, string Outcome, IReadOnlyList<ExchangeResponse> Exchanges, int Dropped);

/// <param name="Status">0 where no answer came; <paramref name="Failure"/> then says why.</param>
public sealed record ExchangeResponse(
    DateTimeOffset At, double Milliseconds, string Method, string Url, string? Request,
    int Status, string? ContentType, string? Location, string? RetryAfter, string? Body, string? Failure);

internal static class CertificateMapping
{
    public static CertificateResponse ToResponse(this CertificateEntry entry) => new(
        entry.Id,
        [.. entry.Names.Select(n => n.Value)],
        entry.Challenge,
        entry.Status,
        entry.Issuer,
        entry.Serial,
        entry.KeyType,
        entry.Profile,
        entry.FingerprintSha256,
        // Its own word, not the moment at which we had it.
        entry.NotBefore,
        entry.NotBefore,
        entry.NotAfter,
        entry.NotAfter,
        entry.RenewAt,
        entry.Renewal is { } renewal ? new RenewalResponse(renewal.At, renewal.Start, renewal.End, renewal.Source, renewal.Explanation) : null,
        // Seen by a client in a finished handshake; that it is stored and chosen is not enough.
        entry.LastShown is not null,
        entry.LastShown,
        entry.LastAttempt,
        entry.NextAttempt,
        entry.HeldBackBy,
        // Since the last success, the one that is under way included.
        entry.Failures + (entry.Status == CertificateStatus.Renewing ? 1 : 0),
        entry.Failures,
        entry.FailingSince,
        entry.LastError?.Detail,
        entry.LastError is { } error
            ? new CertificateErrorResponse(JsonNamingPolicy.SnakeCaseLower.ConvertName(error.Class.ToString()), error.Code, error.Detail, error.NextStep)
            : null);

    public static OrderStoryResponse ToResponse(this OrderTranscript story) => new(
        story.Began, story.Ended, story.Directory.AbsoluteUri, story.Resumed, story.Outcome, [.. story.Exchanges.Select(ToResponse)], story.Dropped);

    private static ExchangeResponse ToResponse(AcmeExchange e) => new(
        e.At, e.Milliseconds, e.Method, e.Url, e.Request, e.Status, e.ContentType, e.Location, e.RetryAfter, e.Body, e.Failure);
}
