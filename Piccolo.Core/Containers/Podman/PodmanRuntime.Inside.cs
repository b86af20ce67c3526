using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Docker.DotNet;
using Docker.DotNet.Models;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Containers.Podman;

// What is inside: the files of an image, commands in a container that runs, and what it prints.
internal sealed partial class PodmanRuntime
{
    private const int BufferLength = 16 * 1024;

    /// <summary>The engine allots memory for so many at once.</summary>
    private const int MaxTail = 100_000;
    private static readonly TimeSpan ExitCodePause = TimeSpan.FromMilliseconds(20);

    public Task<ContainerResult<Stream?>> ReadImageFolderAsync(ImageReference image, string path, CancellationToken cancellationToken) =>
        CallAsync("read image", async (_, token) =>
        {
            var labels = new Dictionary<string, string> { [ContainerLabels.Instance] = _instance.Value };
            // Ours by name and label, and no app's: what a killed process leaves of it is removed as a stray.
            var name = $"{ContainerSpec.NameOf(_instance, "")}.copy-{Guid.NewGuid():N}";
            _readers.TryAdd(name, 0);
            HttpResponseMessage? answer = null;
            try
            {
                await _libpod!.CreateReaderAsync(name, image.ToString(), labels, token);
                if (await _libpod.FindFolderAsync(name, Surroundings.Normal(path), token) is { } folder)
                {
                    answer = await _libpod.ExportAsync(name, token);
                    var content = await answer.Content.ReadAsStreamAsync(token);
                    return new ContainerResult<Stream?>(new ImageFolderStream(
                        answer, content, Surroundings.Normal(folder), Surroundings.Normal(path).Split('/')[^1], () => RemoveReaderAsync(name),
                        () => Release(name)), null);
                }
            }
            catch
            {
                answer?.Dispose();
                await RemoveReaderAsync(name);
                throw;
            }
            await RemoveReaderAsync(name);
            return new ContainerResult<Stream?>(null, null);
        }, cancellationToken);

    public Task<ContainerResult<int>> ExecAsync(string id, ImmutableArray<string> command, TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync<int>("exec", async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return EngineErrors.NotFound;
            if (ForeignUnlessOurs(found, id) is { } foreign) return foreign;
            var key = (found.ID, string.Join('\0', command));
            if (await IsSilentAsync(client, key, token)) return EngineErrors.ExecSilent(timeout);
            var parameters = new ContainerExecCreateParameters { Cmd = [.. command], AttachStdout = true, AttachStderr = true };
            var exec = (await client.Exec.CreateContainerExecAsync(found.ID, parameters, token)).ID;
            using var limit = new CancellationTokenSource(timeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, limit.Token);
            try
            {
                using var output = await client.Exec.StartContainerExecAsync(exec, new ContainerExecStartParameters(), either.Token);
                var buffer = new byte[BufferLength];
                while (!(await output.ReadOutputAsync(buffer, 0, buffer.Length, either.Token)).EOF)
                {
                    // Nobody asked for it.
                }
                return await ExitCodeAsync(client, exec, either.Token);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                _silent[key] = exec;
                return EngineErrors.ExecSilent(timeout);
            }
        }, timeout + _options.CallTimeout, cancellationToken);

    public async IAsyncEnumerable<ContainerLogLine> ReadLogAsync(
        string id, int tail, DateTimeOffset? since, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LoopThread.MustNotBlock("log");
        var opened = await CallAsync<HttpResponseMessage>("log", async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return EngineErrors.NotFound;
            if (ForeignUnlessOurs(found, id) is { } foreign) return foreign;
            return await _libpod!.ReadLogAsync(found.ID, Math.Clamp(tail, 0, MaxTail), since, follow, token);
        }, cancellationToken);
        if (opened.Value is not { } answer) yield break;
        using (answer)
        {
            await using var content = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var (frames, buffer, lines) = (new LogFrames(), new byte[BufferLength], new List<ContainerLogLine>());
            var isEnd = false;
            while (!isEnd)
            {
                isEnd = await ReadLinesAsync(content, frames, buffer, lines, follow, cancellationToken);
                foreach (var line in lines) yield return line;
                lines.Clear();
            }
        }
    }

    /// <returns>Whether this was the end.</returns>
    private async Task<bool> ReadLinesAsync(
        Stream content, LogFrames frames, byte[] buffer, List<ContainerLogLine> lines, bool follow, CancellationToken cancellationToken)
    {
        var read = await CallAsync<int>("log", async (_, token) =>
        {
            var length = await content.ReadAsync(buffer, token);
            if (length == 0) frames.End(lines);
            else frames.Read(buffer.AsSpan(0, length), lines);
            return length;
        }, follow ? Timeout.InfiniteTimeSpan : _options.CallTimeout, cancellationToken);
        return read.Value == 0;
    }

    /// <summary>What the command printed has ended; that the engine knows of its end may take a moment more.</summary>
    private async Task<int> ExitCodeAsync(DockerClient client, string exec, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await client.Exec.InspectContainerExecAsync(exec, cancellationToken);
            if (!state.Running) return (int)(state.ExitCode ?? 0);
            await Task.Delay(ExitCodePause, _time, cancellationToken);
        }
    }

    /// <summary>Whether the command still runs that did not answer before. No engine ends one, and each takes one of the container's processes.</summary>
    private async Task<bool> IsSilentAsync(DockerClient client, (string Container, string Command) key, CancellationToken cancellationToken)
    {
        if (!_silent.TryGetValue(key, out var exec)) return false;
        try
        {
            if ((await client.Exec.InspectContainerExecAsync(exec, cancellationToken)).Running) return true;
        }
        catch (DockerApiException e) when (e.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // It ended with the container's last run.
        }
        _silent.TryRemove(key, out _);
        return false;
    }

    private void ForgetSilent(string container)
    {
        foreach (var key in _silent.Keys.Where(k => k.Container == container)) _silent.TryRemove(key, out _);
    }

    private async Task RemoveReaderAsync(string name)
    {
        await RemoveAsync(name, andAnonymousVolumes: true, CancellationToken.None);
        Release(name);
    }

    /// <summary>From now on it is listed; where it is left, it is a stray.</summary>
    private void Release(string name) => _readers.TryRemove(name, out _);
}
