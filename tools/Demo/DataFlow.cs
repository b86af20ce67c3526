using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Demo.Prove;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo;

/// <summary>
/// An app of two services keeps data: written through its public name, read again after the daemon was killed, and nowhere on the disk in clear after a lock.
/// </summary>
public sealed class DataFlow(DemoStack stack, Timeline timeline, TimeSpan patience)
{
    private const int Rows = 5;
    private static readonly Uri Notes = new("https://notes.home.test/notes");

    // A new database makes its cluster first.
    private readonly TimeSpan _patience = patience * 4;
    private readonly Observer _observer = new(TimeProvider.System);
    private string _last = "";

    public async Task RunAsync()
    {
        await timeline.StepAsync("database image made of the Debian package", () => PostgresImage.ImportAsync(stack.Engine));
        await timeline.StepAsync(
            "app of two services installed: POST /api/v1/apps", () => stack.Api.InstallAsync(Manifests.Notes(DemoStack.Image, PostgresImage.Name)));
        var canary = $"canary-{Guid.NewGuid():N}";
        var written = Enumerable.Range(1, Rows).Select(n => $"{canary} {n}").ToList();
        foreach (var text in written) await WriteAsync(text);
        var before = await ReadAsync();
        if (!before.SequenceEqual(written)) throw new DemoFailedException($"The app has {before.Count} notes of {Rows} after they were written.");

        await timeline.StepAsync("daemon killed with SIGKILL and started again", stack.KillAndRestartApplianceAsync);
        await timeline.StepAsync("unlocked: POST /api/v1/crypto/unlock", () => stack.Api.UnlockAsync(DemoEndpoints.Password));
        await stack.WriteEndpointsAsync(await stack.Api.TakeTokenAsync("demo"));
        var after = await ReadAsync();
        if (!after.SequenceEqual(written)) throw new DemoFailedException($"The app has {after.Count} notes of {Rows} after the kill.");

        await timeline.StepAsync("locked: POST /api/v1/crypto/lock", () => stack.Appliance.LockAsync());
        if (FindInFiles(stack.StateDirectory, canary) is { } leak) throw new DemoFailedException($"A note lies in clear in {leak} after the lock.");
        timeline.Print($"DATA OK app=notes rows={after.Count} after=kill9 after_lock=sealed");
        await timeline.StepAsync("unlocked again: POST /api/v1/crypto/unlock", () => stack.Api.UnlockAsync(DemoEndpoints.Password));
    }

    private Task<HttpResponseMessage> WriteAsync(string text) => _observer.UntilAsync(_patience, async cancellationToken =>
    {
        using var client = stack.Internet.NewClient();
        using var response = await client.PostAsync(Notes, new StringContent(text, Encoding.UTF8, "text/plain"), cancellationToken);
        _last = $"POST {Notes} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}";
        return response.IsSuccessStatusCode ? response : null;
    }, ExplainAsync);

    private Task<List<string>> ReadAsync() => _observer.UntilAsync(_patience, async cancellationToken =>
    {
        using var client = stack.Internet.NewClient();
        using var response = await client.GetAsync(Notes, cancellationToken);
        _last = $"GET {Notes} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}";
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!.AsArray().Select(n => (string)n!).ToList()
            : null;
    }, ExplainAsync);

    private async Task<string> ExplainAsync() => $"{_last} {await Diagnosis.ExplainAsync(stack.Api)}";

    /// <returns>The first file that holds the text; null where none does.</returns>
    private static string? FindInFiles(string folder, string text)
    {
        var canary = Canary.OfText("note", text);
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        foreach (var file in Directory.EnumerateFiles(folder, "*", all))
        {
            // The daemon's mark that it runs is locked, and empty.
            if (Path.GetFileName(file) == "in-use") continue;
            ReadOnlySpan<byte> content = File.ReadAllBytes(file);
            foreach (var form in canary.Forms)
                if (content.IndexOf(form) >= 0) return file;
        }
        return null;
    }
}
