namespace Piccolo.Api.Platform;

/// <summary>Configuration section <c>Piccolo</c>: settings of the whole program.</summary>
public sealed class ApplianceOptions
{
    public const string Section = "Piccolo";

    /// <summary>Everything the daemon writes; mode 0700.</summary>
    public string StateDirectory { get; set; } = "/var/lib/piccolo";
}
