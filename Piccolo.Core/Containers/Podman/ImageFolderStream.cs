using System.IO.Pipelines;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// A folder of an image as a tar: taken out of the engine's tar of the whole file system while it is read. The container that was made for it goes when the
/// stream is disposed; sync disposal leaves that to the supervisor.
/// </summary>
internal sealed class ImageFolderStream : Stream
{
    private readonly Pipe _pipe = new();
    private readonly CancellationTokenSource _leaving = new();
    private readonly Stream _folder;
    private readonly HttpResponseMessage _answer;
    private readonly Func<Task> _removeAsync;
    private readonly Action _release;
    private readonly Task _filling;
    private bool _isDisposed;

    /// <param name="answer">The tar of the file system.</param>
    /// <param name="removeAsync">Removes the container.</param>
    /// <param name="release">Leaves the container to whoever removes strays.</param>
    public ImageFolderStream(HttpResponseMessage answer, Stream content, string folder, string name, Func<Task> removeAsync, Action release)
    {
        (_answer, _removeAsync, _release, _folder) = (answer, removeAsync, release, _pipe.Reader.AsStream());
        _filling = FillAsync(content, folder, name);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _folder.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _folder.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read without blocking only.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await _leaving.CancelAsync();
        _answer.Dispose();
        await _folder.DisposeAsync();
        // Whatever ended it was told to the reader.
        await _filling;
        await _removeAsync();
        _leaving.Dispose();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _leaving.Cancel();
            _answer.Dispose();
            _release();
        }
        base.Dispose(disposing);
    }

    /// <summary>Never fails: what goes wrong is what the reader gets.</summary>
    private async Task FillAsync(Stream content, string folder, string name)
    {
        await Task.Yield();
        try
        {
            await using var target = _pipe.Writer.AsStream(leaveOpen: true);
            await FolderTar.CopyAsync(content, folder, name, target, _leaving.Token);
            await _pipe.Writer.CompleteAsync();
        }
        catch (Exception e)
        {
            await _pipe.Writer.CompleteAsync(e);
        }
    }
}
