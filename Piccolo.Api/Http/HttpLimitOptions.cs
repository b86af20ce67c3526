using System.ComponentModel.DataAnnotations;

namespace Piccolo.Api.Http;

/// <summary>What a client may take of time and memory before its request is understood. Section <c>Piccolo:Http</c>.</summary>
internal sealed class HttpLimitOptions
{
    public const string Section = "Piccolo:Http";

    /// <value>How long the request line and headers may take. Default 15 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <value>How long a kept connection may idle between requests. Default 2 min.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <value>The slowest body, in bytes a second. Default 240. Bodies for apps may be as slow as they like.</value>
    [Range(1, 1_000_000)]
    public int MinBodyRate { get; set; } = 240;

    /// <value>For how long a body may be slower. Default 5 s.</value>
    [Range(typeof(TimeSpan), "00:00:02", "00:05:00")]
    public TimeSpan BodyGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <value>Bytes of all headers of a request. Default 32 KiB.</value>
    [Range(1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <value>How many headers a request may have. Default 100.</value>
    [Range(10, 1000)]
    public int MaxHeaders { get; set; } = 100;

    /// <value>Bytes of the request line. Default 8 KiB.</value>
    [Range(1024, 64 * 1024)]
    public int MaxRequestLineBytes { get; set; } = 8 * 1024;
}
