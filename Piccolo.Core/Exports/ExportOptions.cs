using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Exports;

/// <summary>Configuration section <c>Piccolo:Exports</c>: export files.</summary>
public sealed class ExportOptions
{
    public const string Section = "Piccolo:Exports";

    /// <summary>Export files kept on the device; a new one replaces the oldest.</summary>
    [Range(1, 100)]
    public int Retention { get; set; } = 3;

    /// <summary>The largest export that can be imported, in bytes, counted while it is read.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxImportBytes { get; set; } = 64L * 1024 * 1024 * 1024;
}
