using System.ComponentModel.DataAnnotations;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>Configuration section <c>Piccolo:Http</c>: time and memory that a client may use before its request is understood.</summary>
internal sealed class HttpLimitOptions
{
    public const string Section = "Piccolo:Http";

    /// <summary>How long a client may take to send request line and headers.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection may be idle between requests.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Minimum upload rate, in bytes per second. Not applied to apps.</summary>
    [Range(1, 1_000_000)]
    public int MinBodyRate { get; set; } = 240;

    /// <summary>How long an upload may be slower than the minimum rate.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:05:00")]
    public TimeSpan BodyGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of all headers of a request. More is answered with 431.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>Headers of a request. More are answered with 431.</summary>
    [Range(10, 1000)]
    public int MaxHeaders { get; set; } = 100;

    /// <summary>Bytes of the request line. More is answered with 414.</summary>
    [Range(1024, 64 * 1024)]
    public int MaxRequestLineBytes { get; set; } = 8 * 1024;
}
