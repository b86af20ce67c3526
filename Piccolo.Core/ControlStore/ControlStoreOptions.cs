using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.ControlStore;

/// <summary>Configuration section <c>Piccolo:ControlStore</c>: the sealed store.</summary>
public sealed class ControlStoreOptions
{
    public const string Section = "Piccolo:ControlStore";

    /// <summary>How often the open store is verified as a whole.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How old the newest snapshot may become while the store changes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan SnapshotInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often a disk that was full or read-only is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(3);
}
