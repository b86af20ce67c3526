namespace Piccolo.SampleApp;

/// <summary>What the app sees of its container and network: files, other services, and its own log.</summary>
internal static class SampleSurroundings
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };

    public static void MapSampleSurroundings(this IEndpointRouteBuilder app)
    {
        app.MapGet("/file", ReadFileAsync);
        app.MapPost("/write", WriteFileAsync);
        app.MapGet("/fetch", FetchAsync);
        app.MapPost("/print", PrintAsync);
    }

    private static async Task<IResult> ReadFileAsync(string path) => File.Exists(path) ? Results.Text(await File.ReadAllTextAsync(path)) : Results.NotFound();

    /// <summary>Says "ok", or which exception there was.</summary>
    private static async Task<string> WriteFileAsync(string path)
    {
        try
        {
            await File.WriteAllTextAsync(path, "written\n");
            return "ok";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
    }

    private static async Task<IResult> FetchAsync(string url, CancellationToken cancellationToken)
    {
        try
        {
            return Results.Text(await Http.GetStringAsync(new Uri(url), cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return Results.Text(e.Message, statusCode: StatusCodes.Status502BadGateway);
        }
    }

    /// <summary>Writes the body to the output as it is, or to the errors, so many times.</summary>
    private static async Task PrintAsync(HttpContext context, bool errors = false, int times = 1)
    {
        using var text = new MemoryStream();
        await context.Request.Body.CopyToAsync(text, context.RequestAborted);
        await using var output = errors ? Console.OpenStandardError() : Console.OpenStandardOutput();
        for (var i = 0; i < times; i++) await output.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length), context.RequestAborted);
        await output.FlushAsync(context.RequestAborted);
    }
}
