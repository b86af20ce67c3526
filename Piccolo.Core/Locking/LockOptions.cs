using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Locking;

/// <summary>Configuration section <c>Piccolo:Lock</c>: locking.</summary>
public sealed class LockOptions
{
    public const string Section = "Piccolo:Lock";

    /// <summary>How long a lock waits for everything to end before it answers 202 and names what is left. The process starts afresh in either case.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(15);
}
