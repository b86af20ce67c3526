using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Containers;

/// <summary>Configuration section <c>Piccolo:Containers</c>: the container engine.</summary>
public sealed class ContainerOptions
{
    public const string Section = "Piccolo:Containers";

    /// <summary>Path of Podman's REST socket. Empty: no engine.</summary>
    public string Socket { get; set; } = "/run/podman/podman.sock";

    /// <summary>
    /// Socket behind which the service manager starts nft, so that the daemon needs no right to the firewall. Where it does not exist: nft as a child.
    /// </summary>
    public string FirewallSocket { get; set; } = "/run/piccolo-firewall.sock";

    /// <summary>
    /// How long a container may take to stop before it is killed where its manifest is not known: one that a killed daemon left. Else the manifest decides.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the engine may take for one answer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the download of one image may go without a byte of it arriving.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "12:00:00")]
    public TimeSpan PullTimeout { get; set; } = TimeSpan.FromMinutes(10);
}
