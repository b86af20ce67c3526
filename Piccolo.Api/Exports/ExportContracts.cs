using Piccolo.Core.Exports;

namespace Piccolo.Api.Exports;

/// <summary>An export file. It holds the key set and the control store: settings, manifests, secrets, certificates; a full one also volumes of apps.</summary>
/// <param name="Download">Where the file lies on this appliance's API.</param>
/// <param name="Volumes">The sealed volumes in it; absent where the file, of an earlier release, does not say which.</param>
/// <param name="LeftOut">The sealed volumes that a full export leaves out; absent as above, and where it leaves out all.</param>
public sealed record ExportResponse(
    string Id, ExportKind Kind, DateTimeOffset CreatedAt, long Bytes, long Revision, string Download, IReadOnlyList<ExportVolumeResponse>? Volumes,
    IReadOnlyList<ExportVolumeResponse>? LeftOut);

/// <summary>A sealed volume of an app.</summary>
/// <param name="Kind">data, media, cache, from_image; or kept, for a volume that no manifest names any more.</param>
public sealed record ExportVolumeResponse(string App, string Name, string Kind);

public sealed record ExportsResponse(IReadOnlyList<ExportResponse> Exports);

/// <param name="Revision">The store's revision at the time of the export.</param>
/// <param name="Volumes">How many volumes of apps came along; absent where the file does not say so.</param>
/// <param name="Warning">What must not happen from now on.</param>
public sealed record ImportedResponse(
    string Message, string Instance, ExportKind Kind, DateTimeOffset CreatedAt, long Revision, int? Volumes, string Warning, string NextStep);

internal static class ExportMapping
{
    /// <param name="contents">Null where the file does not say what it holds.</param>
    public static ExportResponse ToResponse(this ExportInfo export, ExportContents? contents) => new(
        export.Id, export.Kind, export.CreatedAt, export.Bytes, export.Revision, $"/api/v1/exports/{export.Id}/download",
        export.Kind == ExportKind.Control ? [] : contents?.Volumes.Select(v => new ExportVolumeResponse(v.App, v.Name, v.Kind)).ToList(),
        contents?.LeftOut.Select(v => new ExportVolumeResponse(v.App, v.Name, v.Kind)).ToList());

    public static ImportedResponse ToResponse(this ImportOutcome.Done done) => new(
        "imported",
        done.Instance,
        done.Kind,
        done.CreatedAt,
        done.Revision,
        done.Volumes ?? (done.Kind == ExportKind.Control ? 0 : null),
        "This appliance now has the same names, certificates and relay secret as the exported one. "
        + "Switch the other one off for good before you unlock this one: two live appliances would fight over the names.",
        "Unlock it with the exported appliance's password: POST /api/v1/crypto/unlock.");
}
