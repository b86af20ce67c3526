using Piccolo.Core.Exports;

namespace Piccolo.Api.Exports;

/// <param name="Download">Where the file lies on this appliance's API.</param>
public sealed record ExportResponse(string Id, ExportKind Kind, DateTimeOffset CreatedAt, long Bytes, long Revision, string Download);

public sealed record ExportsResponse(IReadOnlyList<ExportResponse> Exports);

/// <param name="Revision">The store's revision at the time of the export.</param>
/// <param name="Warning">What must not happen from now on.</param>
public sealed record ImportedResponse(
    string Message, string Instance, ExportKind Kind, DateTimeOffset CreatedAt, long Revision, string Warning, string NextStep);

internal static class ExportMapping
{
    public static ExportResponse ToResponse(this ExportInfo export) =>
        new(export.Id, export.Kind, export.CreatedAt, export.Bytes, export.Revision, $"/api/v1/exports/{export.Id}/download");

    public static ImportedResponse ToResponse(this ImportOutcome.Done done) => new(
        "imported",
        done.Instance,
        done.Kind,
        done.CreatedAt,
        done.Revision,
        "This appliance now has the same names, certificates and relay secret as the exported one. "
        + "Switch the other one off for good before you unlock this one: two live appliances would fight over the names.",
        "Unlock it with the exported appliance's password: POST /api/v1/crypto/unlock.");
}
