using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Exports;

/// <summary>Configuration section <c>Piccolo:Exports</c>.</summary>
public sealed class ExportOptions
{
    public const string Section = "Piccolo:Exports";

    /// <summary>How many export files are kept on the device; a new one pushes the oldest out. Default 3.</summary>
    [Range(1, 100)]
    public int Retention { get; set; } = 3;

    /// <summary>The largest export that is imported, in bytes, counted as it is read. Default 64 GiB.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxImportBytes { get; set; } = 64L * 1024 * 1024 * 1024;
}
