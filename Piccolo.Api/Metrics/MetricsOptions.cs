using System.ComponentModel.DataAnnotations;

namespace Piccolo.Api.Metrics;

/// <summary>Configuration section <c>Piccolo:Metrics</c>.</summary>
public sealed class MetricsOptions
{
    public const string Section = "Piccolo:Metrics";

    /// <value>Where Prometheus scrapes: open to this machine, and to bearer tokens from elsewhere. Default <c>/metrics</c>; empty is off.</value>
    [RegularExpression("^(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?$")]
    public string Path { get; set; } = "/metrics";
}
