using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Orders;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>Answers HTTP-01 on a loopback port, as the ingress does.</summary>
internal sealed class Http01App : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _answered;

    private Http01App(WebApplication app) => _app = app;

    public Http01Challenges Challenges { get; } = new();

    /// <summary>Set, no token is found.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>A folder in which another client puts its answers; null for none.</summary>
    public string? Webroot { get; set; }

    /// <summary>The tokens that were asked for.</summary>
    public ConcurrentBag<string> Tokens { get; } = [];

    public int Answered => Volatile.Read(ref _answered);

    public int Port => new Uri(_app.Urls.Single()).Port;

    public static async Task<Http01App> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var result = new Http01App(app);
        app.MapGet(Http01Challenges.PathPrefix + "{token}", result.Answer);
        await app.StartAsync();
        return result;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IResult Answer(HttpContext context, string token)
    {
        Tokens.Add(token);
        if (Webroot is not null && Path.Combine(Webroot, ".well-known", "acme-challenge", Path.GetFileName(token)) is var file && File.Exists(file))
            return Results.Text(File.ReadAllText(file));
        if (IsDeaf || Challenges.Find(context.Request.Host.Host, token) is not { } answer) return Results.NotFound();
        Interlocked.Increment(ref _answered);
        return Results.Text(answer);
    }
}
