using Microsoft.Win32.SafeHandles;

namespace Piccolo.Core.Primitives;

/// <summary>Opens what lies in the state folder.</summary>
public static class StateFile
{
    /// <summary>Opens a file for reading. A pipe in its place is refused: .NET would wait inside the call until somebody writes to it.</summary>
    /// <exception cref="IOException">There is no such file, or it is none, or it cannot be read.</exception>
    public static FileStream OpenRead(string path)
    {
        var descriptor = Posix.Open(path, Posix.O_RDONLY | Posix.O_CLOEXEC | Posix.O_NONBLOCK);
        // .NET has an exception for each reason.
        if (descriptor < 0) return File.OpenRead(path);
        var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read);
        if (stream.CanSeek) return stream;
        stream.Dispose();
        throw new IOException($"'{path}' is not a file.");
    }
}
