using System.ComponentModel.DataAnnotations;

namespace Piccolo.Api.Metrics;

/// <summary>Configuration section <c>Piccolo:Metrics</c>: metrics for Prometheus.</summary>
public sealed class MetricsOptions
{
    public const string Section = "Piccolo:Metrics";

    /// <summary>Path where Prometheus scrapes, from this machine or with a bearer token. Empty: off.</summary>
    [RegularExpression("^(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?$")]
    public string Path { get; set; } = "/metrics";
}
