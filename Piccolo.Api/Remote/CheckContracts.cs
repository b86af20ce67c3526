using Piccolo.Core.Remote.Checks;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Issuance;

namespace Piccolo.Api.Remote;

/// <param name="Id"><c>names</c>, <c>dns</c>, <c>caa</c>, <c>port_80</c>, <c>clock</c> or <c>tunnel</c>.</param>
/// <param name="Host">The name that it is about; absent when it is about all.</param>
public sealed record PreflightCheckResponse(string Id, string Name, string? Host, PreflightStatus Status, string Detail, string? NextStep);

public sealed record PreflightResponse(IReadOnlyList<PreflightCheckResponse> Checks, DateTimeOffset RanAt);

/// <summary>Who could get a certificate for this device's names, and the DNS records that leave only this device.</summary>
/// <param name="Recommended">Whether now is the time: only with an export elsewhere, because the account's key that the record names dies with this
/// device.</param>
/// <param name="Reason">Why it is recommended or not.</param>
public sealed record IssuanceLockResponse(
    TrustLevel TrustLevel, DateTimeOffset? CheckedAt, bool Recommended, string Reason, IReadOnlyList<IssuanceLockNameResponse> Names);

/// <param name="Name">A name at which records belong, or one that the records above it do not cover; <c>*.</c> and the domain stands for names that are not
/// used yet.</param>
/// <param name="Record">The first of <paramref name="Records"/>; absent where there is none.</param>
/// <param name="Records">The records to set, one for each certificate authority whose name and account are known; empty where records do not help.</param>
/// <param name="Found">The CAA properties in force.</param>
public sealed record IssuanceLockNameResponse(
    string Name, TrustLevel TrustLevel,
    CaaRecordResponse? Record, IReadOnlyList<CaaRecordResponse> Records, IReadOnlyList<CaaRecordResponse> Found, string Detail);

/// <param name="ZoneLine">As a zone file has it; absent for what was found.</param>
public sealed record CaaRecordResponse(int Flags, string Tag, string Value, string? ZoneLine);

internal static class CheckMapping
{
    public static PreflightCheckResponse ToResponse(this PreflightCheck check) =>
        new(check.Id, check.Name, check.Host, check.Status, check.Detail, check.NextStep);

    public static IssuanceLockNameResponse ToResponse(this LockedName name)
    {
        CaaRecordResponse[] records = [.. name.Records.Select(p => ToResponse(p, name.Name))];
        return new(name.Name, name.Level, records.FirstOrDefault(), records, [.. name.Found.Select(p => ToResponse(p, null))], name.Detail);
    }

    private static CaaRecordResponse ToResponse(CaaProperty property, string? at) =>
        new(property.Flags, property.Tag, property.Value, at is null ? null : $"{at}. IN CAA {property.Flags} {property.Tag} \"{property.Value}\"");
}
