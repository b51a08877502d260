"""The examples of answers in the API's documentation."""

CAMPAIGNS = [
    {
        "campaign_id": 30517264981,
        "campaign_name": "Tents and Sleeping",
        "campaign_type": "SEARCH_STANDARD",
        "num_ad_groups": 2,
        "ad_group_names": ["Family Tents", "Trekking Tents"],
        "average_monthly_cost": 412.118027,
        "average_cost_per_conversion": 15.636513,
    },
    {
        "campaign_id": None,
        "campaign_name": "Unattributed",
        "campaign_type": None,
        "num_ad_groups": 1,
        "ad_group_names": ["415093827640"],
        "average_monthly_cost": 7.5,
        "average_cost_per_conversion": None,
    },
]

SERIES = [
    {
        "date": "2025-01-01",
        "campaign_id": 30517264981,
        "campaign_name": "Tents and Sleeping",
        "total_cost": 120.5,
        "total_clicks": 241,
        "total_conversions": 8.5,
        "total_impressions": 9640,
        "avg_cost_per_click": 0.5,
        "avg_cost_per_conversion": 14.176471,
        "avg_click_through_rate": 0.025,
        "avg_conversion_rate": 0.03527,
    },
]

_CURRENT = {
    "total_cost": 120.5,
    "total_clicks": 241,
    "total_conversions": 8.5,
    "total_impressions": 9640,
    "cost_per_click": 0.5,
    "cost_per_conversion": 14.176471,
    "cost_per_impression": 0.0125,
    "click_through_rate": 0.025,
    "conversion_rate": 0.03527,
    "start_date": "2025-02-01",
    "end_date": "2025-02-28",
}

_BEFORE = _CURRENT | {
    "total_conversions": 0,
    "cost_per_conversion": None,
    "conversion_rate": 0,
    "start_date": "2025-01-01",
    "end_date": "2025-01-31",
}

COMPARISON = {
    "before_period": _BEFORE,
    "current_period": _CURRENT,
    "change_in_percentage": {
        "total_cost": 0,
        "total_clicks": 0,
        "total_conversions": None,
        "total_impressions": 0,
        "cost_per_click": 0,
        "cost_per_conversion": None,
        "cost_per_impression": 0,
        "click_through_rate": 0,
        "conversion_rate": None,
    },
}

UPLOAD = {
    "id": "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
    "kind": "ad_group_stats",
    "mode": "upsert",
    "filename": "ad_group_stats.csv",
    "state": "applied",
    "rows_read": 13655,
    "rows_accepted": 13419,
    "rows_merged": 228,
    "rows_rejected": 8,
    "received_at": "2026-01-31T09:15:00.000001Z",
    "applied_at": "2026-01-31T09:15:00.412345Z",
    "reason": None,
    "batches": 2,
    "batches_seen": 2,
    "attempts": 1,
}

REJECTIONS = [
    {"line": 1638, "column": "clicks", "value": "-3", "reason": "is negative"},
    {
        "line": 4974,
        "column": None,
        "value": "2025-08-24,415093827640,TABLET,32,1,0",
        "reason": "has 6 fields, the header has 7",
    },
]
