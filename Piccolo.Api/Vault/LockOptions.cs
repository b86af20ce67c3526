using System.ComponentModel.DataAnnotations;

namespace Piccolo.Api.Vault;

/// <summary>Configuration section <c>Piccolo:Lock</c>.</summary>
public sealed class LockOptions
{
    public const string Section = "Piccolo:Lock";

    /// <value>How long a lock's caller waits for everything to have ended, and after which what has not counts as a fault. Default 15 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(15);
}
