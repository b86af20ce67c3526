using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Piccolo.Tests.Fakes;

/// <summary>Keeps what is logged, so that a test can assert a line, or that a secret is in none.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILoggerFactory
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _firsts = new();

    public IReadOnlyCollection<LogEntry> Entries => _entries;

    public string Text => string.Join('\n', _entries.Select(e => $"{e.Level} {e.EventId}: {e.Message} {e.Exception}"));

    public int Count(int eventId) => _entries.Count(e => e.EventId == eventId);

    /// <summary>Ends with the first line of this id, at once when there is one.</summary>
    public Task FirstAsync(int eventId) => First(eventId).Task;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public ILogger<T> For<T>() => LoggerFactoryExtensions.CreateLogger<T>(this);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private TaskCompletionSource First(int eventId) =>
        _firsts.GetOrAdd(eventId, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class Logger(CapturedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log._entries.Enqueue(new LogEntry(category, logLevel, eventId.Id, formatter(state, exception), exception));
            log.First(eventId.Id).TrySetResult();
        }
    }
}

internal sealed record LogEntry(string Category, LogLevel Level, int EventId, string Message, Exception? Exception);
