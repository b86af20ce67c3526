using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;

namespace Piccolo.SampleApp;

/// <summary>What the sample app answers.</summary>
internal static class SampleEndpoints
{
    private const int MaxMiB = 1024;

    public static void MapSample(this IEndpointRouteBuilder app, string fingerprint)
    {
        app.MapGet("/", Page);
        app.MapGet("/healthz", () => "ok\n");
        app.MapGet("/fingerprint", () => fingerprint + "\n");
        app.MapGet("/env", Variable);
        app.MapGet("/echo", Echo);
        app.MapGet("/download", DownloadAsync);
        app.MapPost("/upload", (Delegate)UploadAsync);
        app.Map("/ws", EchoSocketAsync);
        app.MapNotes();
        app.MapSampleSurroundings();
    }

    private static IResult Page() => Results.Content(
        "<!doctype html><html lang=\"en\"><title>Piccolo sample</title><h1>It works</h1><p>This page comes from an app on your own device.</p></html>\n",
        "text/html; charset=utf-8");

    private static IResult Variable(string name) => Environment.GetEnvironmentVariable(name) is { } value ? Results.Text(value) : Results.NotFound();

    private static IResult Echo(HttpContext context) => Results.Json(new
    {
        method = context.Request.Method,
        path = context.Request.Path.Value,
        query = context.Request.QueryString.Value,
        scheme = context.Request.Scheme,
        headers = context.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToArray()),
        remote = context.Connection.RemoteIpAddress?.ToString(),
    });

    /// <summary>So many MiB, at most so many KiB a second; 0 = as fast as it goes.</summary>
    private static async Task DownloadAsync(HttpContext context, int mib = 1, int kibps = 0)
    {
        if (mib is < 0 or > MaxMiB || kibps < 0)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        var ended = context.RequestAborted;
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = (long)mib << 20;
        var chunk = new byte[SampleContent.ChunkLength];
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < mib * SampleContent.ChunksPerMiB; i++)
        {
            SampleContent.Fill(i, chunk);
            await context.Response.Body.WriteAsync(chunk, ended);
            if (kibps == 0) continue;
            await context.Response.Body.FlushAsync(ended);
            var ahead = TimeSpan.FromSeconds((i + 1) * (SampleContent.ChunkLength / 1024.0) / kibps) - TimeProvider.System.GetElapsedTime(began);
            if (ahead > TimeSpan.Zero) await Task.Delay(ahead, TimeProvider.System, ended);
        }
    }

    /// <summary>Says how many bytes came, and their SHA-256.</summary>
    private static async Task<IResult> UploadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = (long)MaxMiB << 20;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[SampleContent.ChunkLength];
        long bytes = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            bytes += read;
        }
        return Results.Json(new { bytes, sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) });
    }

    private static async Task EchoSocketAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close) break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
