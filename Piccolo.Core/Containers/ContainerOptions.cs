using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Containers;

/// <summary>Configuration section <c>Piccolo:Containers</c>.</summary>
public sealed class ContainerOptions
{
    public const string Section = "Piccolo:Containers";

    /// <summary>Path of the engine's REST socket. Default <c>/run/podman/podman.sock</c>; empty = no engine.</summary>
    public string Socket { get; set; } = "/run/podman/podman.sock";

    /// <summary>How long an app may take to end before it is killed. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the engine may take for one answer. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one image may take to arrive. Default 30 min.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "12:00:00")]
    public TimeSpan PullTimeout { get; set; } = TimeSpan.FromMinutes(30);
}
