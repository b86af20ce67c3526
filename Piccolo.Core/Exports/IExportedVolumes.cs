using System.Collections.Immutable;

namespace Piccolo.Core.Exports;

/// <summary>What of the apps goes into a full export, and the way to copy it while nobody writes. Implemented where apps and volumes are known.</summary>
public interface IExportedVolumes
{
    /// <summary>The volumes of this moment. Throws what a locked store throws.</summary>
    ExportSelection Select();

    /// <summary>Stops an app and keeps it stopped, with its volumes closed, until the result is disposed. The owner's wish for it stays as it is.</summary>
    /// <exception cref="ExportFailedException">It does not stop, or a volume of it stays open.</exception>
    Task<IDisposable> HoldAsync(string app, CancellationToken cancellationToken);
}

/// <param name="Kind">As the manifest says, or <see cref="Kept"/>.</param>
/// <param name="Id">The name of its folder: 32 hexadecimal digits.</param>
public sealed record ExportedVolume(string App, string Name, string Kind, string Id)
{
    /// <summary>The kind of a volume that no manifest names any more: of a removed app, or dropped by an update.</summary>
    public const string Kept = "kept";
}

/// <summary>A volume that an export does not need: the app makes its content again.</summary>
public sealed record LeftOutVolume(string App, string Name, string Kind);

/// <param name="Stamp">Another one where apps were installed, changed or removed meanwhile, or volumes made or deleted.</param>
public sealed record ExportSelection(ImmutableArray<ExportedVolume> Volumes, ImmutableArray<LeftOutVolume> LeftOut, string Stamp);

/// <summary>The export cannot be made whole, so there is none. The message is one sentence for the owner.</summary>
public sealed class ExportFailedException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Stable.</summary>
    public string Code { get; } = code;
}
