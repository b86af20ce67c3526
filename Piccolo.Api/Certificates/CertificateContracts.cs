using System.Text.Json;
using Piccolo.Core.Certificates;

namespace Piccolo.Api.Certificates;

/// <summary>A certificate. What concerns its content comes from the leaf that is held and is absent while none is.</summary>
public sealed record CertificateResponse(
    string Id,
    IReadOnlyList<string> Domains,
    string Solver,
    CertificateStatus Status,
    string? Issuer,
    string? Serial,
    string? FingerprintSha256,
    DateTimeOffset? IssuedAt,
    DateTimeOffset? NotBefore,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? NextRenewal,
    DateTimeOffset? LastAttempt,
    DateTimeOffset? NextAttempt,
    int Failures,
    string? FailureReason,
    CertificateErrorResponse? LastError);

public sealed record CertificateErrorResponse(string Class, string Code, string Detail, string? NextStep);

public sealed record CertificatesResponse(IReadOnlyList<CertificateResponse> Certificates);

internal static class CertificateMapping
{
    public static CertificateResponse ToResponse(this CertificateEntry entry) => new(
        entry.Id,
        [.. entry.Names.Select(n => n.Value)],
        "http-01",
        entry.Status,
        entry.Issuer,
        entry.Serial,
        entry.FingerprintSha256,
        entry.IssuedAt,
        entry.NotBefore,
        entry.NotAfter,
        entry.RenewAt,
        entry.LastAttempt,
        entry.NextAttempt,
        entry.Failures,
        entry.LastError?.Detail,
        entry.LastError is { } error
            ? new CertificateErrorResponse(JsonNamingPolicy.SnakeCaseLower.ConvertName(error.Class.ToString()), error.Code, error.Detail, error.NextStep)
            : null);
}
