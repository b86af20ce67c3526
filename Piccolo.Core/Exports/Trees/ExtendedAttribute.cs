using System.Runtime.InteropServices;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports.Trees;

/// <summary>
/// An extended attribute of a file (xattr(7)). gocryptfs keeps those of its files, encrypted, as attributes of <c>user.</c>, and access lists as they are.
/// Others belong to the host and are not copied.
/// </summary>
internal readonly record struct ExtendedAttribute(string Name, byte[] Value)
{
    private const string OfUsers = "user.";
    private const string AccessLists = "system.posix_acl_";

    public bool IsCopied => Name.StartsWith(OfUsers, StringComparison.Ordinal) || Name.StartsWith(AccessLists, StringComparison.Ordinal);

    /// <summary>Those that are copied.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static IEnumerable<ExtendedAttribute> Of(string path)
    {
        foreach (var name in Names(path))
        {
            var attribute = new ExtendedAttribute(name, []);
            if (attribute.IsCopied) yield return attribute with { Value = Read((ref byte b, nuint n) => Posix.GetAttribute(path, name, ref b, n)) };
        }
    }

    /// <exception cref="IOException">The file system does not take it.</exception>
    public void WriteTo(string path)
    {
        if (Posix.SetAttribute(path, Name, ref MemoryMarshal.GetReference(Value.AsSpan()), (nuint)Value.Length, 0) != 0) throw Posix.Failure();
    }

    private static string[] Names(string path) =>
        Encoding.UTF8.GetString(Read((ref byte b, nuint n) => Posix.ListAttributes(path, ref b, n))).Split('\0', StringSplitOptions.RemoveEmptyEntries);

    private static byte[] Read(Call call)
    {
        while (true)
        {
            byte none = 0;
            var length = call(ref none, 0);
            // A file system without attributes has none.
            if (length < 0 && Marshal.GetLastPInvokeError() == Posix.EOPNOTSUPP) return [];
            if (length < 0) throw Posix.Failure();
            if (length == 0) return [];
            var bytes = new byte[length];
            if (call(ref bytes[0], (nuint)length) == length) return bytes;
        }
    }

    private delegate nint Call(ref byte bytes, nuint length);
}
