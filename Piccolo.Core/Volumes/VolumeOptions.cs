namespace Piccolo.Core.Volumes;

/// <summary>Configuration section <c>Piccolo:Volumes</c>: the apps' encrypted volumes.</summary>
public sealed class VolumeOptions
{
    public const string Section = "Piccolo:Volumes";

    /// <summary>
    /// Path of the socket of <c>piccolo-volumes.socket</c>, whose helper mounts volumes for a service that may not. Empty: the daemon mounts them itself.
    /// </summary>
    public string Helper { get; set; } = "";
}
