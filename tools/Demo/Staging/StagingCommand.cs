using Piccolo.Rig;

namespace Piccolo.Demo.Staging;

/// <summary><c>./dev verify-staging</c>: an owner tries names, relay and machine against a real certificate authority, by hand.</summary>
public static class StagingCommand
{
    public static Task<int> RunAsync(string[] args, TextWriter output) =>
        RunAsync(args, output, Console.Error, Environment.GetEnvironmentVariable("CI") is { Length: > 0 } and not "false");

    /// <param name="isCi">Whether a build machine asks, and nobody by hand.</param>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, bool isCi)
    {
        if (args is ["--help" or "-h", ..])
        {
            output.WriteLine(StagingOptions.Usage);
            return 0;
        }
        var (options, problem) = StagingOptions.Parse(args);
        if (options is null)
        {
            errors.WriteLine($"verify-staging: {problem}\n\n{StagingOptions.Usage}");
            return 2;
        }
        // What a build machine repeats by itself must not knock at somebody else's door.
        if (isCi && !options.IsOnThisMachine)
        {
            errors.WriteLine($"verify-staging: CI is set; {options.Directory.Host} is asked by hand only.");
            return 2;
        }
        return await RunAsync(options, output);
    }

    /// <returns>0 when the certificate was issued and seen from outside, else 1.</returns>
    public static async Task<int> RunAsync(StagingOptions options, TextWriter output)
    {
        var timeline = new Timeline(output);
        var folder = Directory.CreateTempSubdirectory("piccolo-staging-").FullName;
        try
        {
            await new StagingRun(options, folder, timeline).RunAsync();
            return 0;
        }
        catch (Exception e) when (e is StagingFailedException or ApplianceRefusedException or InvalidOperationException or HttpRequestException or IOException
            or UnauthorizedAccessException)
        {
            timeline.Print($"FAILED {e.Message}");
            return 1;
        }
        finally
        {
            // Account, keys and the copy of the relay's secret go with it.
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>The certificate did not come, or this machine was not reached; the message names cause and next step.</summary>
public sealed class StagingFailedException(string message) : Exception(message);
