using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Rig;

/// <summary>Names the folder in which the state of a failed test is kept; tests write it and the test runner reads it.</summary>
public static class FailedTestName
{
    // A file name has 255 bytes at most.
    private const int MaxLength = 150;
    private const string OfEveryTest = "Piccolo.Tests.";

    /// <param name="fullName">Of a test or a fixture.</param>
    /// <returns>A file name: letters, digits, dot, dash and underscore.</returns>
    public static string FolderOf(string fullName)
    {
        var name = fullName.StartsWith(OfEveryTest, StringComparison.Ordinal) ? fullName[OfEveryTest.Length..] : fullName;
        var safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')).TrimEnd('_');
        // Cases that differ in what was replaced or cut off still have folders of their own.
        if (safe == name && safe.Length <= MaxLength) return safe;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fullName)));
        return $"{safe[..Math.Min(safe.Length, MaxLength)]}-{hash[..6]}";
    }
}
